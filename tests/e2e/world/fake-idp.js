// An identity provider that has only settings, which tests can change, and the answers that tests give it.
import { once } from 'node:events';
import { createServer } from 'node:http';

/** The settings of Supabase Auth with Google, GitHub and email. */
export const SETTINGS = {
  external: { google: true, github: true, gitlab: false, email: true, phone: false, anonymous_users: true },
  disable_signup: false,
  mailer_autoconfirm: false,
};

export class FakeIdp {
  settings = SETTINGS;
  /** Answers by path: status and body. */
  answers = {};
  #server;
  #port;

  async listen(port) {
    this.#port = port;
    this.#server = createServer((request, response) => this.#answer(request, response));
    this.#server.listen(port, '127.0.0.1');
    await once(this.#server, 'listening');
    return this;
  }

  #answer(request, response) {
    const path = request.url.split('?')[0];
    const headers = {
      'content-type': 'application/json',
      'access-control-allow-origin': '*',
      'access-control-allow-headers': 'apikey, authorization, content-type, x-client-info, x-supabase-api-version',
      'access-control-expose-headers': 'x-supabase-api-version',
      'x-supabase-api-version': '2024-01-01',
    };
    if (request.method === 'OPTIONS') return response.writeHead(204, headers).end();
    const [status, body] = path === '/auth/v1/settings' ? [200, this.settings] : (this.answers[path] ?? [404, { code: 'not_found', message: 'not found' }]);
    return response.writeHead(status, headers).end(JSON.stringify(body));
  }

  /** Refuses connections until `listen`. */
  async close() {
    if (!this.#server) return;
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
    this.#server = undefined;
  }

  reopen() {
    return this.listen(this.#port);
  }
}
