// A fake chat completion service for POST /api/generate, which tests can pause and break.
import { once } from 'node:events';
import { createServer } from 'node:http';

/** The API key that it accepts. */
export const MODEL_KEY = 'tgp_v1_0123456789abcdefghijklmnopqrstuv';

export class Model {
  /** The received requests: headers and body. */
  requests = [];
  /** Number of connections that the client closed early. */
  dropped = 0;
  pieces = ['def ', 'slug(title):\n', '    return title'];
  #gate;
  #server = createServer((request, response) => void this.#answer(request, response));

  async listen(port) {
    this.#server.listen(port, '127.0.0.1');
    await once(this.#server, 'listening');
    return this;
  }

  /** Pauses responses after the first chunk; returns a function that resumes them. */
  hold() {
    let open;
    this.#gate = new Promise((resolve) => (open = resolve));
    return () => {
      this.#gate = undefined;
      open();
    };
  }

  async #answer(request, response) {
    let text = '';
    for await (const part of request) text += part;
    const body = JSON.parse(text || '{}');
    this.requests.push({ headers: request.headers, body });
    if (request.headers.authorization !== `Bearer ${MODEL_KEY}`) {
      response.writeHead(401, { 'content-type': 'application/json' }).end('{"error":{"message":"Invalid API key provided","code":"invalid_api_key"}}');
      return;
    }
    response.on('close', () => {
      if (!response.writableFinished) this.dropped += 1;
    });
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    const chunk = (delta, finish = null) =>
      `data: ${JSON.stringify({ id: '1', object: 'chat.completion.chunk', model: body.model, choices: [{ index: 0, delta, finish_reason: finish }] })}\n\n`;
    for (const [at, piece] of this.pieces.entries()) {
      response.write(chunk({ content: piece }));
      if (at === 0) await this.#gate;
    }
    response.write(chunk({}, 'stop'));
    response.end('data: [DONE]\n\n');
  }

  /** Closes all connections. */
  breakOff() {
    this.#server.closeAllConnections();
  }

  close() {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}
