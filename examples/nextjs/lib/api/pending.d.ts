import type { paths as Known } from './schema';
type Keys = { success: boolean; apiKeys: Record<string, string> };
type R = { 200: { headers: { [name: string]: unknown }; content: { 'application/json': Keys } } };
type N = { query?: never; header?: never; path?: never; cookie?: never };
export type paths = Known & {
  '/api/user/api-keys': { get: { parameters: N; requestBody?: never; responses: R }; post: { parameters: N; requestBody: { content: { 'application/json': Record<string, string> } }; responses: R }};
  '/api/user/api-keys/{name}': { delete: { parameters: { query?: never; header?: never; path: { name: string }; cookie?: never }; requestBody?: never; responses: R } };
};
