export interface components {
  schemas: {
    Me: Profile & { claims: { role: string | null; roles: string[]; scopes: string[]; aal: string | null; session_id: string | null; expires_at: string } };
    Profile: Profile;
    StatusCheck: StatusCheck;
  };
}
interface Profile { id: string; issuer: string; subject: string; email: string | null; email_verified: boolean; name: string | null; picture: string | null; is_active: boolean; last_login: string; created_at: string; updated_at: string }
interface StatusCheck { id: string; client_name: string; timestamp: string }
interface Keys { success: boolean; apiKeys: Record<string, string> }
type Ok<T> = { headers: { [name: string]: unknown }; content: { 'application/json': T } };
type Op<R, B = never, Q = never, P = never, S extends number = 200> = {
  parameters: { query?: Q; header?: never; path: P; cookie?: never };
  requestBody: [B] extends [never] ? undefined : { content: { 'application/json': B } };
  responses: Record<S, Ok<R>>;
};
export interface paths {
  '/api/auth/me': { get: Op<components['schemas']['Me']> };
  '/api/user': { patch: Op<Profile, { name?: string | null; picture?: string | null }>; delete: Op<never, never, never, never, 204> };
  '/api/status': { get: Op<{ items: StatusCheck[]; next_cursor: string | null }, never, { limit?: number; cursor?: string }>; post: Op<StatusCheck, { client_name: string }, never, never, 201> };
  '/api/user/api-keys': { get: Op<Keys>; post: Op<Keys, Record<string, string>> };
  '/api/user/api-keys/{name}': { delete: Op<Keys, never, never, { name: string }> };
}
