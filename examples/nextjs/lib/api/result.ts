import { type Problem, problemOf, problemOfFailure } from './problem';

/** The data of a response, or the problem. */
export type Result<T> = { data: T; problem?: never } | { data?: never; problem: Problem };

/** Awaits a call of `api`. Such a call throws only if the API is unreachable. */
export async function result<T>(call: Promise<{ data?: T; error?: unknown; response: Response }>): Promise<Result<T>> {
  try {
    const { data, error, response } = await call;
    return response.ok ? { data: data as T } : { problem: problemOf(response, error) };
  } catch (error) {
    return { problem: problemOfFailure(error) };
  }
}
