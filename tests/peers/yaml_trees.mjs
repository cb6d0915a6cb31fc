// Compares how plans are read with how the package `yaml` reads them.
//
//     node tests/peers/yaml_trees.mjs target/tmp/trees.json
//
// `cargo test --test trees` writes the trees. Where the package reads a text otherwise there must be
// a word about it; a text that it refuses is told by itself. The last line is `N passed, M failed`.

import { readFileSync } from 'node:fs'
import { parse } from 'yaml'

/** As JSON has it. */
const plain = (value) => {
  if (Array.isArray(value)) return value.map(plain)
  if (value instanceof Map || value instanceof Set || value instanceof Date) return { 'no JSON': 1 }
  if (value !== null && typeof value === 'object') {
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plain(item)]))
  }
  return value === undefined ? null : value
}

const same = (one, other) => {
  if (one === null || other === null || typeof one !== 'object' || typeof other !== 'object') {
    return one === other || Math.abs(one - other) < 1e-15 * Math.abs(one)
  }
  const keys = Object.keys(one)
  return Array.isArray(one) === Array.isArray(other) && keys.length === Object.keys(other).length &&
    keys.every((key) => key in other && same(one[key], other[key]))
}

let passed = 0
let failed = 0
for (const { name, text, refused, tree, told } of JSON.parse(readFileSync(process.argv[2], 'utf8'))) {
  let theirs = null
  let agree = true
  try {
    // Merging is part of the language of plans, and the package does it when it is asked to.
    theirs = plain(parse(text, { merge: true, logLevel: 'error', maxAliasCount: -1 }))
    agree = !refused && same(tree, theirs)
  } catch {}
  if (agree || told.length > 0) {
    passed += 1
  } else {
    failed += 1
    const shown = (value) => JSON.stringify(value)
    console.log(`${shown(name)}: ${shown(tree)} here, ${shown(theirs)} there`)
  }
}
console.log(`${passed} passed, ${failed} failed`)
process.exit(failed > 0 ? 1 : 0)
