// Provides the identity provider, once per run. With IDP_URL, the tests use a running IdP, as in CI. Otherwise this starts `bearward` from the PATH, or
// the program that BEARWARD names.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

export default async function setup({ provide }) {
  const child = process.env.IDP_URL ? undefined : await start()
  const url = process.env.IDP_URL ?? child.url
  await waitUntilReady(`${url}/health`)
  provide('idpUrl', url)
  return async () => {
    if (!child) return
    child.process.kill()
    await once(child.process, 'exit')
  }
}

async function start() {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address()
  server.close()
  await once(server, 'close')
  const program = process.env.BEARWARD ?? 'bearward'
  return { url: `http://127.0.0.1:${port}`, process: spawn(program, ['idp', '--bind', `127.0.0.1:${port}`], { stdio: 'ignore' }) }
}

async function waitUntilReady(url) {
  const deadline = Date.now() + 30_000
  for (;;) {
    try {
      if ((await fetch(url)).ok) return
    } catch (error) {
      if (Date.now() > deadline) throw error
    }
    await sleep(50)
  }
}
