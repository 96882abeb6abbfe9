// Once a run: the identity provider of the tests. In CI it is a service beside the job, and IDP_URL says where; on a developer's machine it is
// started here: `bearward` on the PATH, or BEARWARD.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'

export default async function setup({ provide }) {
  const child = process.env.IDP_URL ? undefined : await start()
  const url = process.env.IDP_URL ?? child.url
  await answers(`${url}/health`)
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

async function answers(url) {
  const deadline = Date.now() + 30_000
  for (;;) {
    try {
      if ((await fetch(url)).ok) return
    } catch (error) {
      if (Date.now() > deadline) throw error
    }
    await pause(50)
  }
}
