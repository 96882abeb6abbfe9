import { type Problem, problemOf, problemOfFailure } from './problem';

/** An answer, or what to tell people in its place. */
export type Result<T> = { data: T; problem?: never } | { data?: never; problem: Problem };

/** Waits for a call of `api`, which answers without throwing unless nothing is reached. */
export async function result<T>(call: Promise<{ data?: T; error?: unknown; response: Response }>): Promise<Result<T>> {
  try {
    const { data, error, response } = await call;
    return response.ok ? { data: data as T } : { problem: problemOf(response, error) };
  } catch (error) {
    return { problem: problemOfFailure(error) };
  }
}
