import { env } from '@/lib/env';

import { authorized } from './client';
import { type Problem, problemOf, problemOfFailure } from './problem';

const DONE = '[DONE]';

/** Requests code and passes each chunk to `onText`. Resolves when the stream ends, with the problem if it failed. */
export async function generate(prompt: string, model: string, signal: AbortSignal, onText: (text: string) => void): Promise<Problem | undefined> {
  try {
    const body = JSON.stringify({ prompt, stream: true, ...(model && { model }) });
    const headers = { 'Content-Type': 'application/json', Accept: 'text/event-stream' };
    const response = await authorized(new Request(`${env.apiUrl}/api/generate`, { method: 'POST', headers, body, signal }));
    if (!response.ok || !response.body) return problemOf(response, await response.json().catch(() => null));
    for await (const { event, data } of events(response.body)) {
      if (event === 'error') return problemOf(new Response(null, { status: 502 }), json(data));
      if (data === DONE) return undefined;
      const text = (json(data) as Chunk | null)?.choices?.[0]?.delta?.content;
      if (typeof text === 'string') onText(text);
    }
    // The connection ended before the stream was complete.
    return signal.aborted ? undefined : problemOfFailure(undefined);
  } catch (error) {
    return signal.aborted ? undefined : problemOfFailure(error);
  }
}

/** A streamed chunk in the OpenAI format. */
interface Chunk {
  choices?: { delta?: { content?: unknown } }[];
}

function json(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** Parses server-sent events. `EventSource` cannot send an Authorization header. */
async function* events(body: ReadableStream<Uint8Array>): AsyncGenerator<{ event: string; data: string }> {
  const reader = body.pipeThrough(new TextDecoderStream() as ReadableWritablePair<string, Uint8Array>).getReader();
  let event = '';
  let data: string[] = [];
  let rest = '';
  try {
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      const lines = (rest + value).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines.map((text) => text.replace(/\r$/, ''))) {
        if (line === '') {
          if (data.length > 0) yield { event, data: data.join('\n') };
          event = '';
          data = [];
        } else if (line.startsWith('event:')) event = line.slice(6).trim();
        else if (line.startsWith('data:')) data.push(line.slice(5).replace(/^ /, ''));
      }
    }
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}
