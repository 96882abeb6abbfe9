// An OAuthClientProvider of the SDK that keeps everything in memory, as an MCP host does.
import { createServer } from 'node:http';

export class Provider {
  /** Addresses to which the user was sent. */
  redirects = [];
  /** Codes and states that came back. */
  callbacks = [];
  #waiting = [];

  static async listen() {
    const provider = new Provider();
    provider.server = createServer((request, response) => {
      const url = new URL(request.url, provider.redirectUrl);
      if (url.pathname !== '/callback') {
        response.writeHead(404).end();
        return;
      }
      provider.callbacks.push(url.searchParams);
      response.writeHead(200, { 'content-type': 'text/html' }).end('<title>Signed in</title>You can close this page.');
      provider.#waiting.shift()?.(url.searchParams);
    });
    await new Promise((resolve) => provider.server.listen(0, '127.0.0.1', resolve));
    return provider;
  }

  close() {
    this.server.close();
  }

  /** Resolves with the parameters of the next redirect to the client. */
  callback() {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  get redirectUrl() {
    return `http://127.0.0.1:${this.server.address().port}/callback`;
  }

  get clientMetadata() {
    return {
      client_name: 'Test host',
      redirect_uris: [this.redirectUrl],
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: 'none',
    };
  }

  state() {
    this.sentState = crypto.randomUUID();
    return this.sentState;
  }

  clientInformation() {
    return this.client;
  }

  saveClientInformation(client) {
    this.client = client;
  }

  tokens() {
    return this.saved;
  }

  saveTokens(tokens) {
    this.saved = tokens;
  }

  redirectToAuthorization(url) {
    this.redirects.push(url);
  }

  saveCodeVerifier(verifier) {
    this.verifier = verifier;
  }

  codeVerifier() {
    return this.verifier;
  }

  invalidateCredentials(scope) {
    if (scope === 'all' || scope === 'client') this.client = undefined;
    if (scope === 'all' || scope === 'tokens') this.saved = undefined;
    if (scope === 'all' || scope === 'verifier') this.verifier = undefined;
  }
}
