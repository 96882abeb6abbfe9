// Compares the answers of `bearward idp` with the recorded ones of a real Supabase Auth (2.196, with asymmetric signing keys).
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import test from 'node:test'
import { startIdp } from '../idp.js'
import { check, differences } from './compare.js'
import { RULES } from './differences.js'
import { probe } from './probe.js'
import { SITE, target } from './target.js'

const MODES = { autoconfirm: [], confirm: ['--confirm-email'] }

test('the answers are those of Supabase Auth, except for the listed differences', { timeout: 600_000 }, async (context) => {
  const lines = []
  for (const [mode, flags] of Object.entries(MODES)) {
    const recorded = JSON.parse(readFileSync(new URL(`recorded/${mode}.json`, import.meta.url), 'utf8'))
    const idp = await startIdp('--alg', 'ES256', '--site-url', SITE, '--mail-interval', '0', ...flags)
    try {
      const found = differences(recorded, await probe(target(idp), mode))
      const general = RULES.filter((rule) => !rule.names)
      const alike = recorded.length - new Set(check(found, general).unlisted.map(({ name }) => name)).size
      context.diagnostic(`${mode}: ${alike} of ${recorded.length} alike`)
      lines.push(...found)
    } finally {
      await idp.stop()
    }
  }
  const { unlisted, unused } = check(lines, RULES)
  const shown = unlisted.map(({ name, member, theirs, ours }) => `${name} · ${member}: ${JSON.stringify(theirs)} | ${JSON.stringify(ours)}`)
  assert.ok(!shown.length, `differences that differences.js does not list (step · member: Supabase Auth | bearward):\n${shown.join('\n')}`)
  assert.ok(!unused.size, `rules of differences.js without a difference (step · member):\n${[...unused].join('\n')}`)
})
