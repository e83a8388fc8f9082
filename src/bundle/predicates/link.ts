/** The link of in-toto: one step of a supply chain, with what went in and what came out. */
import type { JsonFields } from '../../encoding/json-fields.ts'
import { checkObjects, checkStringList, checkStringMap } from './fields.ts'

/**
 * The `signed` part of a link file (in-toto specification 4.4). `_type` and `products` may be left out, as the predicate's
 * specification wants it; cosign demands them.
 * @throws DecodingError STATEMENT_INVALID
 */
export function checkLink(predicate: JsonFields): void {
  const type = predicate.optionalString('_type')
  if (type !== undefined && type !== 'link') throw predicate.invalid(`${predicate.pathOf('_type')} should be "link"`)
  predicate.string('name')
  checkStringList(predicate, 'command')
  for (const name of ['materials', 'products']) {
    const artifacts = predicate.optionalObject(name)
    for (const [path] of artifacts?.entries() ?? []) if (artifacts !== undefined) checkStringMap(artifacts, path)
  }
  checkObjects(predicate, 'byproducts', 'environment')
}
