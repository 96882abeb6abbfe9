// Starts a development IdP on a free port; it stops with the test process.
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'

const program = process.env.BEARWARD ?? new URL('../../target/debug/bearward', import.meta.url).pathname

export async function startIdp(...flags) {
  const child = spawn(program, ['idp', '--bind', '127.0.0.1:0', ...flags], { stdio: ['ignore', 'pipe', 'inherit'] })
  const stop = () => new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) return resolve()
    child.once('exit', resolve)
    child.kill('SIGKILL')
  })
  process.once('exit', () => child.kill('SIGKILL'))
  for await (const line of createInterface({ input: child.stdout })) {
    const issuer = line.match(/^issuer\s+(\S+)/)?.[1]
    if (issuer) {
      child.stdout.resume()
      return { url: issuer.replace('/auth/v1', ''), issuer, stop }
    }
  }
  throw new Error('the IdP exited before it printed its issuer')
}

export async function admin(idp, line, body) {
  const [method, path] = line.split(' ')
  const response = await fetch(idp.url + path, {
    method,
    headers: body === undefined ? {} : { 'content-type': 'application/json' },
    body: body === undefined ? undefined : JSON.stringify(body),
  })
  if (!response.ok) throw new Error(`${line}: ${response.status} ${await response.text()}`)
  return response.status === 204 ? undefined : response.json()
}

// Moves the clock of the IdP ahead by these seconds while `during` runs.
export async function ahead(idp, seconds, during) {
  await admin(idp, 'PUT /admin/clock', { ahead_seconds: seconds })
  try {
    return await during()
  } finally {
    await admin(idp, 'PUT /admin/clock', { ahead_seconds: 0 })
  }
}
