/** The pages for people: what this server is, and the search over its logs. They need no script. */
import { Hono } from 'hono'
import { CountersignError } from '../../error.ts'
import type { SearchAnswer, SearchField, SearchQuery } from '../../api/search.ts'
import { searchFields } from '../../api/search.ts'
import { answerPage } from '../page/page.ts'
import { answerStyleSheet } from '../page/style.ts'
import type { Service } from '../service.ts'
import { foundBody, guessField, searchForm, unknownBody } from './search-page.ts'
import type { ServerDescription } from './start-page.ts'
import { startBody } from './start-page.ts'

/** Asks the logs; a question that is none fails with the codes REQUEST_INVALID or NOT_FOUND. */
export type EntrySearch = (query: SearchQuery) => Promise<SearchAnswer>

export interface WebOptions {
  readonly server: ServerDescription
  /** Without it there is no search page. */
  readonly search?: EntrySearch
  /** Told of searches that failed on our side. */
  readonly onError?: (error: unknown) => void
}

const stylePath = '/style.css'
const pageSize = 20
const maxQuestionCharacters = 2_000

/** The service, with the routes `/`, `/search` and `/style.css`. */
export function createWeb(options: WebOptions): Service {
  const { server, search } = options
  const routes = new Hono()
  const links = [{ href: '/', text: 'This server' }, ...(search === undefined ? [] : [{ href: '/search', text: 'Search' }])]
  const frame = { style: stylePath, wide: true, links }
  routes.get(stylePath, (c) => answerStyleSheet(c.req.query('v')))
  routes.get('/', () => answerPage({ ...frame, title: 'This server', body: startBody(server) }, { cacheControl: 'no-cache' }))
  if (search !== undefined) {
    routes.get('/search', async (c) => {
      const question = readQuestion(new URL(c.req.url).searchParams)
      if (question === undefined) return answerPage({ ...frame, title: 'Search', body: searchForm({}) })
      const { body, status } = await answerQuestion(question, search, options.onError)
      return answerPage({ ...frame, title: question.value === '' ? 'Search' : `Search: ${question.value.slice(0, 80)}`, body }, { status })
    })
  }
  return { routes, limitedReads: search === undefined ? [] : ['/search'] }
}

interface Question {
  /** As chosen; undefined to guess it. */
  readonly chosen: SearchField | undefined
  readonly value: string
  readonly log: string | undefined
}

function readQuestion(parameters: URLSearchParams): Question | undefined {
  const value = parameters.get('q')?.trim()
  if (value === undefined) return undefined
  const chosen = searchFields.find((field) => field === parameters.get('by'))
  return { chosen, value: value.slice(0, maxQuestionCharacters), log: parameters.get('log')?.slice(0, 100) || undefined }
}

async function answerQuestion(
  { chosen, value, log }: Question,
  search: EntrySearch,
  onError: WebOptions['onError'],
): Promise<{ readonly body: ReturnType<typeof searchForm>; readonly status: number }> {
  const shown = { chosen, value }
  if (value === '') return { body: searchForm({ ...shown, problem: 'Say what to look for.' }), status: 400 }
  const field = chosen ?? guessField(value)
  try {
    const answer = await search({ field, value, limit: pageSize, ...(log === undefined ? {} : { log }) })
    const nothing = answer.entries.length === 0
    return {
      body: nothing ? unknownBody({ ...shown, field, answer }) : foundBody({ ...shown, field, answer }),
      status: nothing ? 404 : 200,
    }
  } catch (error) {
    if (error instanceof CountersignError && (error.code === 'REQUEST_INVALID' || error.code === 'NOT_FOUND')) {
      return {
        body: searchForm({ ...shown, problem: `This cannot be looked for: ${error.message}.` }),
        status: error.code === 'NOT_FOUND' ? 404 : 400,
      }
    }
    onError?.(error)
    return { body: searchForm({ ...shown, problem: 'The search does not work at the moment. Try again later.' }), status: 503 }
  }
}
