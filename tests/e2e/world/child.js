// A child process.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';

export class Child {
  #process;
  #name;
  #ended;
  /** Its stdout and stderr. */
  output = '';

  constructor(name, program, options, { env = {}, cwd } = {}) {
    this.#name = name;
    this.#process = spawn(program, options, { cwd, env: { ...cleanEnv(process.env), ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
    for (const stream of [this.#process.stdout, this.#process.stderr]) stream.setEncoding('utf8').on('data', (text) => (this.output += text));
    this.#ended = once(this.#process, 'exit');
  }

  /** Waits until it answers at this address. Throws if it exits. */
  async answers(address) {
    const by = Date.now() + 60_000;
    for (;;) {
      const isThere = await fetch(address, { redirect: 'manual' }).then((response) => response.status < 500, () => false);
      if (isThere) return this;
      if (this.#process.exitCode !== null || Date.now() > by) throw new Error(`${this.#name} does not answer at ${address}:\n${this.output}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  /** Sends a signal and waits for a line of output. */
  async signal(signal, line) {
    const from = this.output.length;
    this.#process.kill(signal);
    while (!this.output.slice(from).includes(line)) {
      assert.equal(this.#process.exitCode, null, this.output);
      await once(this.#process.stdout, 'data');
    }
  }

  /** Kills the process. */
  async kill() {
    this.#process.kill('SIGKILL');
    await this.#ended;
  }

  async stop() {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    this.#process.kill('SIGTERM');
    const late = setTimeout(() => this.#process.kill('SIGKILL'), 10_000);
    await this.#ended;
    clearTimeout(late);
  }
}

/** Removes variables that would affect the tests. */
function cleanEnv(env) {
  const foreign = /^(BEARWARD_|SUPABASE_|NEXT_PUBLIC_|GOOGLE_|DATABASE_URL$|PORT$|RUST_LOG$|NODE_TEST|NODE_OPTIONS$|npm_)/i;
  return Object.fromEntries(Object.entries(env).filter(([name]) => !foreign.test(name)));
}
