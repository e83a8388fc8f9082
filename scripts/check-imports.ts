/** Holds the import rules of ARCHITECTURE.md. Prints each breach and exits 1, or one line and exits 0. */
import { readFileSync, readdirSync } from 'node:fs'
import path from 'node:path'

/** The folders of src/, top to bottom: each may import those above it. */
const order = [
  'encoding',
  'crypto',
  'x509',
  'merkle',
  'bundle',
  'trust',
  'verify',
  'api',
  'http',
  'tuf',
  'clients',
  'identity',
  'keys',
  'sign',
  'oci',
  'policy',
  'server',
  'admission',
  'release',
  'cli',
  'action',
]
const pure = new Set(order.slice(0, order.indexOf('http')))
const pureBuiltins = new Set(['node:crypto', 'node:buffer'])

/** The services of src/server/ meet in app.ts and do not import each other; the other parts of src/server/ are their ground. */
const services = new Set(['issuer', 'ca', 'ctlog', 'rekor', 'tsa', 'tuf', 'search', 'web'])
/** What stands above the services in src/server/. */
const serverGround = new Set([
  'storage',
  'tile-log',
  'request',
  'threads',
  'time',
  'page',
  'clock.ts',
  'serial-number.ts',
  'service.ts',
  'worker-file.ts',
])

/** The one or few places that may import a library. Libraries that are not listed may be imported by no one. */
const owners: Readonly<Record<string, readonly string[]>> = {
  '@kubernetes/client-node': ['keys'],
  '@noble/ciphers': ['crypto'],
  '@noble/curves': ['crypto'],
  '@noble/hashes': ['crypto'],
  '@marcbachmann/cel-js': ['policy'],
  ajv: ['policy'],
  re2js: ['verify'],
  'tuf-js': ['tuf'],
  '@tufjs/models': ['tuf', 'server/tuf'],
  hono: ['server', 'admission'],
  '@hono/node-server': ['server', 'admission'],
  kysely: ['server/storage'],
  libsql: ['server/storage'],
  pg: ['server/storage'],
  jose: ['identity', 'server'],
  'openid-client': ['identity', 'server/issuer'],
  'oidc-provider': ['server/issuer'],
  yaml: ['policy', 'server', 'admission'],
  pino: ['server', 'admission'],
  'prom-client': ['server', 'admission'],
  zod: ['server', 'admission'],
  '@aws-sdk/client-kms': ['keys/kms'],
  '@google-cloud/kms': ['keys/kms'],
  '@azure/keyvault-keys': ['keys/kms'],
  '@azure/identity': ['keys/kms'],
  pkcs11js: ['keys'],
}
const networkBuiltins = new Set(['node:http', 'node:https', 'node:net', 'node:tls', 'node:http2', 'node:dns'])
const networkOwners = new Set(['http', 'server', 'admission'])
const processOwners = new Set(['cli', 'action'])
const drawers = /^(utils?|helpers?|common|shared|misc|managers?|lib)$/

const breaches: string[] = []
/** The files that each file imports, types and what is loaded later included. */
const importsOf = new Map<string, string[]>()
for (const file of sourceFiles('src')) checkFile(file)
checkCircles()
for (const folder of folders(['src', 'test', 'bench', 'scripts', 'examples'])) {
  if (drawers.test(path.basename(folder))) breaches.push(`${folder}: a folder is named after what is in it`)
}
if (breaches.length > 0) {
  console.error(breaches.join('\n'))
  console.error(`${breaches.length} breaches of the import rules (ARCHITECTURE.md, "Layout")`)
  process.exitCode = 1
} else {
  console.log('import rules: clean')
}

function checkFile(file: string): void {
  const folder = file.split('/')[1] ?? ''
  const isRootFile = folder.endsWith('.ts')
  if (!isRootFile && !order.includes(folder)) breaches.push(`${file}: src/${folder} is not in the layout`)
  if (path.basename(file) === 'index.ts' && file !== 'src/index.ts' && file !== 'src/server/index.ts')
    breaches.push(`${file}: index.ts exists only where package.json exports it`)
  const text = readFileSync(file, 'utf8')
  // Texts that show code to users are no imports.
  const code = text.replaceAll(/\/\*[\s\S]*?\*\/|\/\/[^\n]*/g, '').replaceAll(/`[^`]*`/g, '``')
  for (const match of code.matchAll(/(?<!['\w.])(?:from|import)\s*\(?\s*'([^']+)'/g)) checkImport(file, folder, isRootFile, match[1] ?? '')
  if (pure.has(folder)) {
    if (/\bDate\.now\b|\bnew Date\(\)|\bperformance\./.test(code)) breaches.push(`${file}: takes the time from a clock`)
    if (/\bprocess\./.test(code)) breaches.push(`${file}: uses process`)
  }
  if (!processOwners.has(folder) && /\bprocess\.(argv|exit|stdout|stderr|stdin|on)\b|\bconsole\./.test(code)) {
    breaches.push(`${file}: talks to the terminal, which only ${[...processOwners].join(' and ')} may`)
  }
}

function checkImport(file: string, folder: string, isRootFile: boolean, target: string): void {
  if (target.startsWith('.')) {
    const resolved = path.posix.normalize(path.posix.join(path.posix.dirname(file), target))
    const imported = resolved.split('/')[1] ?? ''
    importsOf.set(file, [...(importsOf.get(file) ?? []), resolved])
    if (!resolved.startsWith('src/')) breaches.push(`${file}: imports ${target}, outside src/`)
    if (!target.endsWith('.ts') && !target.endsWith('.json')) breaches.push(`${file}: imports ${target} without naming the file`)
    if (isRootFile || imported === folder || imported === 'error.ts') return
    if (imported.endsWith('.ts')) breaches.push(`${file}: imports ${target} from the front door`)
    else if (order.indexOf(imported) > order.indexOf(folder))
      breaches.push(`${file}: ${folder}/ may not import ${imported}/, which stands below it`)
    else if (folder === 'server' && imported === 'server') checkServerImport(file, resolved)
    return
  }
  if (target.startsWith('node:')) {
    if (pure.has(folder) && !pureBuiltins.has(target)) breaches.push(`${file}: ${folder}/ is pure and imports ${target}`)
    if (networkBuiltins.has(target) && !networkOwners.has(folder))
      breaches.push(`${file}: imports ${target}, which only ${[...networkOwners].join(', ')} may`)
    return
  }
  const library = target.startsWith('@') ? target.split('/').slice(0, 2).join('/') : (target.split('/')[0] ?? '')
  const place = path.posix.dirname(file).slice('src/'.length)
  if (owners[library]?.some((owner) => `${place}/`.startsWith(`${owner}/`)) !== true)
    breaches.push(`${file}: imports ${library}, whose owners are ${owners[library]?.join(', ') ?? 'none'}`)
}

/** No file imports itself by way of others, not even for a type: what two of them share is a file of its own. */
function checkCircles(): void {
  const done = new Set<string>()
  const visit = (file: string, above: readonly string[]): void => {
    const start = above.indexOf(file)
    if (start >= 0) breaches.push(`${[...above.slice(start), file].join(' -> ')}: files import each other in a circle`)
    if (start >= 0 || done.has(file)) return
    for (const imported of importsOf.get(file) ?? []) visit(imported, [...above, file])
    done.add(file)
  }
  for (const file of importsOf.keys()) visit(file, [])
}

/** Inside the server: the ground imports no service, and a service no other. */
function checkServerImport(file: string, imported: string): void {
  const part = file.split('/')[2] ?? ''
  const target = imported.split('/')[2] ?? ''
  if (part === target || serverGround.has(target)) return
  if (serverGround.has(part) || services.has(part))
    breaches.push(`${file}: server/${part} may not import server/${target}; they meet in app.ts`)
}

function sourceFiles(root: string): string[] {
  return readdirSync(root, { withFileTypes: true }).flatMap((entry) => {
    const name = `${root}/${entry.name}`
    if (entry.isDirectory()) return sourceFiles(name)
    return name.endsWith('.ts') ? [name] : []
  })
}

function folders(roots: readonly string[]): string[] {
  return roots.flatMap((root) =>
    readdirSync(root, { withFileTypes: true }).flatMap((entry) => {
      const name = `${root}/${entry.name}`
      return entry.isDirectory() ? [name, ...folders([name])] : []
    }),
  )
}
