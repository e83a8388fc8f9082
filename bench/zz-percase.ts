import { publicCases } from './bundle-case.ts'
import { createCountersign } from './countersign.ts'
import { createBareCrypto } from './bare-crypto.ts'
import { median, timed } from './rounds.ts'
const cases = publicCases()
const ours = createCountersign(); const bare = createBareCrypto()
for (const c of cases) {
  const a = ours.prepare(c); const b = bare.prepare(c)
  const ta:number[]=[], tb:number[]=[]
  for (let i=0;i<60;i++){ ours.forget(); ta.push(timed(a)); tb.push(timed(b)) }
  console.log(c.name.padEnd(45), (median(ta)*1000).toFixed(0).padStart(6), (median(tb)*1000).toFixed(0).padStart(6), 'diff', ((median(ta)-median(tb))*1000).toFixed(0), c.json.length)
}
