import { publicCases } from './bundle-case.ts'
import { universeSets } from './universe-bundles.ts'
import { createCountersign } from './countersign.ts'
import { createBareCrypto } from './bare-crypto.ts'
const cases = process.env['SET']==='public' ? publicCases() : universeSets(200)[process.env['SET']==='v2'?1:0]!.cases
const ours = process.env['BARE'] ? createBareCrypto() : createCountersign()
const fs = cases.map(c=>ours.prepare(c))
const n = Number(process.env['N'] ?? 20)
for (let i=0;i<3;i++){ ours.forget(); for (const f of fs) f() }
const t=performance.now()
for (let i=0;i<n;i++){ ours.forget(); for (const f of fs) f() }
console.log(((performance.now()-t)*1000/n/fs.length).toFixed(0),'us')
