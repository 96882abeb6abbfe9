// Starts a development IdP and servers on free ports; they stop with the test process.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'

const program = process.env.BEARWARD ?? new URL('../../target/debug/bearward', import.meta.url).pathname

// Starts the program and returns the first group of the first line that matches.
async function start(args, env, pattern, stream) {
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...env } })
  process.once('exit', () => child.kill('SIGKILL'))
  const stop = () => new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) return resolve()
    child.once('exit', resolve)
    child.kill('SIGKILL')
  })
  const other = stream === 'stdout' ? child.stderr : child.stdout
  other.resume()
  const lines = []
  for await (const line of createInterface({ input: child[stream] })) {
    lines.push(line)
    const found = line.match(pattern)?.[1]
    if (found) {
      child[stream].resume()
      return { found, stop }
    }
  }
  throw new Error(`the program exited before it was ready:\n${lines.join('\n')}`)
}

export async function startIdp() {
  const { found: issuer, stop } = await start(['idp', '--bind', '127.0.0.1:0'], {}, /^issuer\s+(\S+)/, 'stdout')
  return { url: issuer.replace('/auth/v1', ''), issuer, stop }
}

// Starts a server that accepts bound tokens of the IdP.
export async function startServer(idp, settings = {}) {
  const env = {
    SUPABASE_URL: idp.url,
    BEARWARD_ISSUERS__SUPABASE__FIRST_PARTY: 'false',
    BEARWARD_ISSUERS__SUPABASE__DPOP: 'accepted',
    BEARWARD_SERVER__BIND: '127.0.0.1:0',
    BEARWARD_DATABASE__URL: 'sqlite::memory:',
    BEARWARD_TELEMETRY__FORMAT: 'json',
    RUST_LOG: 'info',
    ...settings,
  }
  const { found: address, stop } = await start(['serve'], env, /(127\.0\.0\.1:[1-9][0-9]*)/, 'stderr')
  return { url: `http://${address}`, stop }
}

export const REDIRECT = 'http://127.0.0.1:7777/callback'

// Follows the authorization URL as a browser does, allows the request, and returns the redirect to the client.
export async function allow(idp, url) {
  const first = await fetch(url, { redirect: 'manual' })
  assert.ok([302, 303].includes(first.status), await first.text())
  const shown = new URL(first.headers.get('location'), url)
  const page = await fetch(shown)
  const text = await page.text()
  const csrf = text.match(/name="csrf_token" value="([^"]+)"/)[1]
  const cookie = page.headers.getSetCookie().map((line) => line.split(';')[0]).join('; ')
  const sent = await fetch(shown, {
    method: 'POST',
    redirect: 'manual',
    headers: { cookie, origin: idp.url, 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams({ csrf_token: csrf, email: 'ada@example.com' }),
  })
  assert.equal(sent.status, 303, await sent.text())
  return new URL(sent.headers.get('location'))
}
