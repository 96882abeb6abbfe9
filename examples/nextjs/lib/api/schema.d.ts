// Made by `npm run schema` from the document of `bearward openapi`. Not to be edited.
export interface paths {
    "/.well-known/oauth-protected-resource": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Get the protected resource metadata (RFC 9728) */
        get: operations["protectedResourceMetadata"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/admin/users": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List accounts
         * @description Returns all accounts, newest first.
         */
        get: operations["listUsers"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/admin/users/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        /**
         * Enable or disable an account
         * @description Disabling an account takes effect on all replicas within 20 seconds.
         */
        patch: operations["setUserActive"];
        trace?: never;
    };
    "/api/auth/google": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get the URL of the sign-in with Google
         * @description Returns the authorization endpoint of the configured identity provider.
         */
        get: operations["signInAddress"];
        put?: never;
        /**
         * Sign in with a Google ID token
         * @description Only the credential is used; other user data in the body is ignored.
         */
        post: operations["signInWithGoogle"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/auth/me": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get the current user
         * @description Returns the profile and the claims of the token. The first request of a subject creates its
         *     account.
         */
        get: operations["me"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/auth/verify": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Authorize a forwarded request
         * @description A gateway sends this request for each request that it receives. 200 has no body and identifies
         *     the user in headers, which the gateway copies to the request that it forwards:
         *
         *     | header | value |
         *     |---|---|
         *     | `X-Auth-Subject` | `sub`, unique within the issuer |
         *     | `X-Auth-Issuer` | `iss`, as configured |
         *     | `X-Auth-Email` | the email address; it does not identify the user |
         *     | `X-Auth-Role` | the `role` claim, `authenticated` with Supabase; `?role=` checks the list of roles instead |
         *     | `X-Auth-Scopes` | the scopes, separated by spaces |
         *
         *     Each header is always present and is empty if the token has no such claim. Some gateways keep
         *     headers of the client whose names are not in this response, so a missing header could be
         *     forged.
         *
         *     Values are percent-encoded: spaces, control characters, `%` and bytes outside of ASCII. A claim
         *     can neither break the header nor start another one. `decodeURIComponent` decodes it.
         *
         *     The query adds requirements, which must all be met: `role`, `scope` (several scopes separated by
         *     spaces) and `aal` (`aal1`, `aal2`, `aal3`: the minimum level). Unknown parameters are rejected,
         *     so that a misspelled restriction is not ignored.
         *
         *     # Errors
         *     The errors of every endpoint with an account; then 422 for an invalid query; then 403 for a
         *     missing role or scope; then 401 for a level that is too low.
         */
        get: operations["verify"];
        /**
         * Authorize a forwarded request
         * @description A gateway sends this request for each request that it receives. 200 has no body and identifies
         *     the user in headers, which the gateway copies to the request that it forwards:
         *
         *     | header | value |
         *     |---|---|
         *     | `X-Auth-Subject` | `sub`, unique within the issuer |
         *     | `X-Auth-Issuer` | `iss`, as configured |
         *     | `X-Auth-Email` | the email address; it does not identify the user |
         *     | `X-Auth-Role` | the `role` claim, `authenticated` with Supabase; `?role=` checks the list of roles instead |
         *     | `X-Auth-Scopes` | the scopes, separated by spaces |
         *
         *     Each header is always present and is empty if the token has no such claim. Some gateways keep
         *     headers of the client whose names are not in this response, so a missing header could be
         *     forged.
         *
         *     Values are percent-encoded: spaces, control characters, `%` and bytes outside of ASCII. A claim
         *     can neither break the header nor start another one. `decodeURIComponent` decodes it.
         *
         *     The query adds requirements, which must all be met: `role`, `scope` (several scopes separated by
         *     spaces) and `aal` (`aal1`, `aal2`, `aal3`: the minimum level). Unknown parameters are rejected,
         *     so that a misspelled restriction is not ignored.
         *
         *     # Errors
         *     The errors of every endpoint with an account; then 422 for an invalid query; then 403 for a
         *     missing role or scope; then 401 for a level that is too low.
         */
        put: operations["verifyPut"];
        /**
         * Authorize a forwarded request
         * @description A gateway sends this request for each request that it receives. 200 has no body and identifies
         *     the user in headers, which the gateway copies to the request that it forwards:
         *
         *     | header | value |
         *     |---|---|
         *     | `X-Auth-Subject` | `sub`, unique within the issuer |
         *     | `X-Auth-Issuer` | `iss`, as configured |
         *     | `X-Auth-Email` | the email address; it does not identify the user |
         *     | `X-Auth-Role` | the `role` claim, `authenticated` with Supabase; `?role=` checks the list of roles instead |
         *     | `X-Auth-Scopes` | the scopes, separated by spaces |
         *
         *     Each header is always present and is empty if the token has no such claim. Some gateways keep
         *     headers of the client whose names are not in this response, so a missing header could be
         *     forged.
         *
         *     Values are percent-encoded: spaces, control characters, `%` and bytes outside of ASCII. A claim
         *     can neither break the header nor start another one. `decodeURIComponent` decodes it.
         *
         *     The query adds requirements, which must all be met: `role`, `scope` (several scopes separated by
         *     spaces) and `aal` (`aal1`, `aal2`, `aal3`: the minimum level). Unknown parameters are rejected,
         *     so that a misspelled restriction is not ignored.
         *
         *     # Errors
         *     The errors of every endpoint with an account; then 422 for an invalid query; then 403 for a
         *     missing role or scope; then 401 for a level that is too low.
         */
        post: operations["verifyPost"];
        /**
         * Authorize a forwarded request
         * @description A gateway sends this request for each request that it receives. 200 has no body and identifies
         *     the user in headers, which the gateway copies to the request that it forwards:
         *
         *     | header | value |
         *     |---|---|
         *     | `X-Auth-Subject` | `sub`, unique within the issuer |
         *     | `X-Auth-Issuer` | `iss`, as configured |
         *     | `X-Auth-Email` | the email address; it does not identify the user |
         *     | `X-Auth-Role` | the `role` claim, `authenticated` with Supabase; `?role=` checks the list of roles instead |
         *     | `X-Auth-Scopes` | the scopes, separated by spaces |
         *
         *     Each header is always present and is empty if the token has no such claim. Some gateways keep
         *     headers of the client whose names are not in this response, so a missing header could be
         *     forged.
         *
         *     Values are percent-encoded: spaces, control characters, `%` and bytes outside of ASCII. A claim
         *     can neither break the header nor start another one. `decodeURIComponent` decodes it.
         *
         *     The query adds requirements, which must all be met: `role`, `scope` (several scopes separated by
         *     spaces) and `aal` (`aal1`, `aal2`, `aal3`: the minimum level). Unknown parameters are rejected,
         *     so that a misspelled restriction is not ignored.
         *
         *     # Errors
         *     The errors of every endpoint with an account; then 422 for an invalid query; then 403 for a
         *     missing role or scope; then 401 for a level that is too low.
         */
        delete: operations["verifyDelete"];
        /**
         * Authorize a forwarded request
         * @description A gateway sends this request for each request that it receives. 200 has no body and identifies
         *     the user in headers, which the gateway copies to the request that it forwards:
         *
         *     | header | value |
         *     |---|---|
         *     | `X-Auth-Subject` | `sub`, unique within the issuer |
         *     | `X-Auth-Issuer` | `iss`, as configured |
         *     | `X-Auth-Email` | the email address; it does not identify the user |
         *     | `X-Auth-Role` | the `role` claim, `authenticated` with Supabase; `?role=` checks the list of roles instead |
         *     | `X-Auth-Scopes` | the scopes, separated by spaces |
         *
         *     Each header is always present and is empty if the token has no such claim. Some gateways keep
         *     headers of the client whose names are not in this response, so a missing header could be
         *     forged.
         *
         *     Values are percent-encoded: spaces, control characters, `%` and bytes outside of ASCII. A claim
         *     can neither break the header nor start another one. `decodeURIComponent` decodes it.
         *
         *     The query adds requirements, which must all be met: `role`, `scope` (several scopes separated by
         *     spaces) and `aal` (`aal1`, `aal2`, `aal3`: the minimum level). Unknown parameters are rejected,
         *     so that a misspelled restriction is not ignored.
         *
         *     # Errors
         *     The errors of every endpoint with an account; then 422 for an invalid query; then 403 for a
         *     missing role or scope; then 401 for a level that is too low.
         */
        options: operations["verifyOptions"];
        /**
         * Authorize a forwarded request
         * @description A gateway sends this request for each request that it receives. 200 has no body and identifies
         *     the user in headers, which the gateway copies to the request that it forwards:
         *
         *     | header | value |
         *     |---|---|
         *     | `X-Auth-Subject` | `sub`, unique within the issuer |
         *     | `X-Auth-Issuer` | `iss`, as configured |
         *     | `X-Auth-Email` | the email address; it does not identify the user |
         *     | `X-Auth-Role` | the `role` claim, `authenticated` with Supabase; `?role=` checks the list of roles instead |
         *     | `X-Auth-Scopes` | the scopes, separated by spaces |
         *
         *     Each header is always present and is empty if the token has no such claim. Some gateways keep
         *     headers of the client whose names are not in this response, so a missing header could be
         *     forged.
         *
         *     Values are percent-encoded: spaces, control characters, `%` and bytes outside of ASCII. A claim
         *     can neither break the header nor start another one. `decodeURIComponent` decodes it.
         *
         *     The query adds requirements, which must all be met: `role`, `scope` (several scopes separated by
         *     spaces) and `aal` (`aal1`, `aal2`, `aal3`: the minimum level). Unknown parameters are rejected,
         *     so that a misspelled restriction is not ignored.
         *
         *     # Errors
         *     The errors of every endpoint with an account; then 422 for an invalid query; then 403 for a
         *     missing role or scope; then 401 for a level that is too low.
         */
        head: operations["verifyHead"];
        /**
         * Authorize a forwarded request
         * @description A gateway sends this request for each request that it receives. 200 has no body and identifies
         *     the user in headers, which the gateway copies to the request that it forwards:
         *
         *     | header | value |
         *     |---|---|
         *     | `X-Auth-Subject` | `sub`, unique within the issuer |
         *     | `X-Auth-Issuer` | `iss`, as configured |
         *     | `X-Auth-Email` | the email address; it does not identify the user |
         *     | `X-Auth-Role` | the `role` claim, `authenticated` with Supabase; `?role=` checks the list of roles instead |
         *     | `X-Auth-Scopes` | the scopes, separated by spaces |
         *
         *     Each header is always present and is empty if the token has no such claim. Some gateways keep
         *     headers of the client whose names are not in this response, so a missing header could be
         *     forged.
         *
         *     Values are percent-encoded: spaces, control characters, `%` and bytes outside of ASCII. A claim
         *     can neither break the header nor start another one. `decodeURIComponent` decodes it.
         *
         *     The query adds requirements, which must all be met: `role`, `scope` (several scopes separated by
         *     spaces) and `aal` (`aal1`, `aal2`, `aal3`: the minimum level). Unknown parameters are rejected,
         *     so that a misspelled restriction is not ignored.
         *
         *     # Errors
         *     The errors of every endpoint with an account; then 422 for an invalid query; then 403 for a
         *     missing role or scope; then 401 for a level that is too low.
         */
        patch: operations["verifyPatch"];
        /**
         * Authorize a forwarded request
         * @description A gateway sends this request for each request that it receives. 200 has no body and identifies
         *     the user in headers, which the gateway copies to the request that it forwards:
         *
         *     | header | value |
         *     |---|---|
         *     | `X-Auth-Subject` | `sub`, unique within the issuer |
         *     | `X-Auth-Issuer` | `iss`, as configured |
         *     | `X-Auth-Email` | the email address; it does not identify the user |
         *     | `X-Auth-Role` | the `role` claim, `authenticated` with Supabase; `?role=` checks the list of roles instead |
         *     | `X-Auth-Scopes` | the scopes, separated by spaces |
         *
         *     Each header is always present and is empty if the token has no such claim. Some gateways keep
         *     headers of the client whose names are not in this response, so a missing header could be
         *     forged.
         *
         *     Values are percent-encoded: spaces, control characters, `%` and bytes outside of ASCII. A claim
         *     can neither break the header nor start another one. `decodeURIComponent` decodes it.
         *
         *     The query adds requirements, which must all be met: `role`, `scope` (several scopes separated by
         *     spaces) and `aal` (`aal1`, `aal2`, `aal3`: the minimum level). Unknown parameters are rejected,
         *     so that a misspelled restriction is not ignored.
         *
         *     # Errors
         *     The errors of every endpoint with an account; then 422 for an invalid query; then 403 for a
         *     missing role or scope; then 401 for a level that is too low.
         */
        trace: operations["verifyTrace"];
    };
    "/api/generate": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Generate code
         * @description Uses the caller's own API key for `togetherAI`. With `stream` the response consists of
         *     server-sent events in the format of OpenAI's chat completions: each `data:` is a chunk, the last
         *     one is `[DONE]`. If the service fails during the stream, an `event: error` with the error
         *     envelope ends it.
         */
        post: operations["generate"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/status": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List status checks
         * @description Returns the caller's status checks, newest first.
         */
        get: operations["listStatusChecks"];
        put?: never;
        /**
         * Create a status check
         * @description With an `Idempotency-Key` the request can be retried: the status check is stored once.
         */
        post: operations["addStatusCheck"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/user": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /**
         * Delete the account
         * @description Deletes the account and all its data. The token stays valid until it expires; another request
         *     with it creates a new, empty account.
         */
        delete: operations["deleteUser"];
        options?: never;
        head?: never;
        /**
         * Update name and picture
         * @description An absent field is not changed; null restores the value of the issuer.
         */
        patch: operations["updateUser"];
        trace?: never;
    };
    "/api/user/api-keys": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List API keys, masked */
        get: operations["listApiKeys"];
        put?: never;
        /**
         * Store API keys
         * @description Replaces the stored keys of the same providers. Either all keys are stored or none.
         */
        post: operations["keepApiKeys"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/user/api-keys/{provider}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /** Delete an API key */
        delete: operations["removeApiKey"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/health": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get the state of signing keys and database
         * @description Always 200 while the process responds: restarting a degraded service does not help.
         */
        get: operations["health"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/livez": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Probe liveness
         * @description Does not depend on issuers or the database: restarting this process would repair neither.
         */
        get: operations["live"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/metrics": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get metrics in the Prometheus text format
         * @description Served on `server.admin_bind` if that is set.
         */
        get: operations["metrics"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/openapi.json": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Get the OpenAPI document */
        get: operations["openapi"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/protected": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get the token's subject
         * @description The simplest protected endpoint: it does not use the database.
         */
        get: operations["whoami"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/readyz": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Probe readiness */
        get: operations["ready"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        /** @description The new status of an account. */
        AccountStatus: {
            /** @example false */
            is_active: boolean;
        };
        /** @description The error. */
        ErrorBody: {
            /**
             * @description Stable error code.
             * @example TOKEN_EXPIRED
             */
            code: string;
            /** @description Machine-readable details; for `VALIDATION_FAILED` a list of `{field, problem}`. */
            details: unknown;
            /**
             * @description Human-readable description; its wording may change.
             * @example the token has expired
             */
            message: string;
        };
        /** @description The body of every error response. */
        ErrorEnvelope: {
            error: components["schemas"]["ErrorBody"];
            /** @description The request's id in the server's log. */
            request_id: string | null;
            /**
             * @description Always false.
             * @example false
             */
            success: boolean;
        };
        /** @description The generated text. */
        Generated: {
            /**
             * @description The text.
             * @example fn reverse(text: &str) -> String {
             *         text.chars().rev().collect()
             *     }
             */
            code: string;
            /**
             * @description The model that generated the text.
             * @example Qwen/Qwen2.5-Coder-32B-Instruct
             */
            model: string;
            /** @example true */
            success: boolean;
            usage: components["schemas"]["Usage"] | null;
        };
        /** @description A prompt. */
        GenerateRequest: {
            /**
             * @description The model; the configured one by default.
             * @example Qwen/Qwen2.5-Coder-32B-Instruct
             */
            model?: string | null;
            /**
             * @description The prompt.
             * @example A function that reverses a string, in Rust
             */
            prompt: string;
            /** @description Whether to send the response as server-sent events. */
            stream?: boolean | null;
        };
        /** @description A Google ID token. */
        GoogleCredential: {
            /**
             * @description The ID token from Google's sign-in button.
             * @example eyJhbGciOiJSUzI1NiIs...
             */
            credential: string;
            /** @description Accepted and ignored. */
            user?: unknown;
        };
        /** @description The user, with the member names that clients of this endpoint expect. */
        GoogleUser: {
            /** Format: date-time */
            createdAt: string;
            /** @example ada@example.com */
            email: string | null;
            /** @example 108204268033311374519 */
            googleId: string;
            /** Format: uuid */
            id: string;
            /** @example Ada Lovelace */
            name: string | null;
            picture: string | null;
            /** Format: date-time */
            updatedAt: string;
        };
        /** @description The permissions in the token. */
        GrantedClaims: {
            /**
             * @description The authenticator assurance level.
             * @example aal1
             */
            aal: string | null;
            /**
             * Format: date-time
             * @description The expiry of the token (`exp`).
             */
            expires_at: string;
            /**
             * @description The `role` claim.
             * @example authenticated
             */
            role: string | null;
            /** @description The application roles. */
            roles: string[];
            /** @description The scopes. */
            scopes: string[];
            /** @description The id of the session at the issuer. */
            session_id: string | null;
        };
        /** @description The key set of an issuer. */
        KeysReport: {
            /** Format: int64 */
            age_seconds: number | null;
            keys: number;
            /** @example fresh */
            state: string;
        };
        /** @description The response to a sign-in. */
        Login: {
            /** @example Login successful */
            message: string;
            /** @example true */
            success: boolean;
            user: components["schemas"]["GoogleUser"];
        };
        /** @description The caller's API keys. */
        MaskedKeys: {
            /**
             * @description By provider: the first 8 and the last 4 characters of the key; a short key is masked
             *     completely.
             * @example {
             *       "togetherAI": "sk-abc12...wxyz"
             *     }
             */
            apiKeys: {
                [key: string]: string;
            };
            /** @example true */
            success: boolean;
        };
        /** @description The profile and the claims that grant permissions. */
        Me: components["schemas"]["Profile"] & {
            claims: components["schemas"]["GrantedClaims"];
        };
        /** @description The metadata of this resource, built once. */
        Metadata: {
            authorization_servers: string[];
            bearer_methods_supported: string[];
            resource: string;
            resource_name: string;
        };
        /** @description API keys by provider: one or more of the providers in `vault.providers`. */
        NewKeys: {
            codeRabbit?: string;
            googleProviderToken?: string;
            kestra?: string;
            oumi?: string;
            /** @example sk-abc12345678901234567890wxyz */
            togetherAI?: string;
        };
        /** @description A new status check. */
        NewStatusCheck: {
            /**
             * @description A single line without surrounding whitespace.
             * @example web
             */
            client_name: string;
        };
        /** @description A page, newest first, and what to ask for to see the next one. */
        Page_Profile: {
            /** @description The rows. */
            items: {
                /**
                 * Format: date-time
                 * @description When the account was first seen here.
                 */
                created_at: string;
                /**
                 * @description As the issuer says; it never links two accounts.
                 * @example ada@example.com
                 */
                email?: string | null;
                /** @description Whether the issuer has verified the address. */
                email_verified: boolean;
                /**
                 * Format: uuid
                 * @description Our key of this account.
                 */
                id: string;
                /** @description Whether the account may be used. */
                is_active: boolean;
                /**
                 * @description The issuer that vouches for the user, in its canonical spelling.
                 * @example https://abc.supabase.co/auth/v1
                 */
                issuer: string;
                /**
                 * Format: date-time
                 * @description When a new session was first seen here.
                 */
                last_login: string;
                /**
                 * @description The user's own choice, else as the issuer says.
                 * @example Ada Lovelace
                 */
                name?: string | null;
                /** @description A link to a picture: the user's own choice, else as the issuer says. */
                picture?: string | null;
                /**
                 * @description `sub`: the user's key at the issuer. Unique together with the issuer.
                 * @example 11111111-2222-4333-8444-555555555555
                 */
                subject: string;
                /**
                 * Format: date-time
                 * @description When anything above was last changed.
                 */
                updated_at: string;
            }[];
            /** @description Where the next page begins; null on the last one. */
            next_cursor: string | null;
        };
        /** @description A page, newest first, and what to ask for to see the next one. */
        Page_StatusCheck: {
            /** @description The rows. */
            items: {
                /**
                 * @description The client that reported.
                 * @example web
                 */
                client_name: string;
                /**
                 * Format: uuid
                 * @description Its key. Later reports have greater keys.
                 */
                id: string;
                /**
                 * Format: date-time
                 * @description When it was received.
                 */
                timestamp: string;
            }[];
            /** @description Where the next page begins; null on the last one. */
            next_cursor: string | null;
        };
        /** @description A user, as the API shows one. */
        Profile: {
            /**
             * Format: date-time
             * @description When the account was first seen here.
             */
            created_at: string;
            /**
             * @description As the issuer says; it never links two accounts.
             * @example ada@example.com
             */
            email: string | null;
            /** @description Whether the issuer has verified the address. */
            email_verified: boolean;
            /**
             * Format: uuid
             * @description Our key of this account.
             */
            id: string;
            /** @description Whether the account may be used. */
            is_active: boolean;
            /**
             * @description The issuer that vouches for the user, in its canonical spelling.
             * @example https://abc.supabase.co/auth/v1
             */
            issuer: string;
            /**
             * Format: date-time
             * @description When a new session was first seen here.
             */
            last_login: string;
            /**
             * @description The user's own choice, else as the issuer says.
             * @example Ada Lovelace
             */
            name: string | null;
            /** @description A link to a picture: the user's own choice, else as the issuer says. */
            picture: string | null;
            /**
             * @description `sub`: the user's key at the issuer. Unique together with the issuer.
             * @example 11111111-2222-4333-8444-555555555555
             */
            subject: string;
            /**
             * Format: date-time
             * @description When anything above was last changed.
             */
            updated_at: string;
        };
        /** @description Changes to the profile, at least one. */
        ProfileFields: {
            /**
             * @description A single line without surrounding whitespace.
             * @example Ada Lovelace
             */
            name?: string | null;
            /**
             * Format: uri
             * @description An https URL.
             * @example https://example.com/ada.png
             */
            picture?: string | null;
        };
        /** @description The health of the server. */
        Report: {
            /** @example ok */
            database: string;
            issuers: {
                [key: string]: components["schemas"]["KeysReport"];
            };
            /** @example ok */
            status: string;
            version: string;
        };
        /** @description One report, as the API shows it. */
        StatusCheck: {
            /**
             * @description The client that reported.
             * @example web
             */
            client_name: string;
            /**
             * Format: uuid
             * @description Its key. Later reports have greater keys.
             */
            id: string;
            /**
             * Format: date-time
             * @description When it was received.
             */
            timestamp: string;
        };
        /** @description Numbers of tokens, as reported by the service. */
        Usage: {
            /** Format: int64 */
            completion_tokens: number;
            /** Format: int64 */
            prompt_tokens: number;
            /** Format: int64 */
            total_tokens: number;
        };
    };
    responses: never;
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
    protectedResourceMetadata: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The resource and its authorization servers */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Metadata"];
                };
            };
        };
    };
    listUsers: {
        parameters: {
            query?: {
                /** @description `next_cursor` of the previous page. */
                cursor?: string;
                /** @description Maximum number of items. */
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of accounts */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Page_Profile"];
                };
            };
            /** @description More than one token, or a malformed body */
            400: {
                headers: {
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description No token or an invalid token; the challenge names the reason */
            401: {
                headers: {
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description The account is disabled, or a role, a scope or the origin does not suffice */
            403: {
                headers: {
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description The account was deleted while the request was processed */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description The request took longer than the server allows */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description Invalid fields, each named in `details` */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description Too many requests, or too many concurrent ones */
            429: {
                headers: {
                    "retry-after"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description Internal error; use `request_id` to find it in the log */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description Signing keys, database or vault are unavailable */
            503: {
                headers: {
                    "retry-after"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
        };
    };
    setUserActive: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The account's `id` */
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["AccountStatus"];
            };
        };
        responses: {
            /** @description The updated account */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Profile"];
                };
            };
            /** @description More than one token, or a malformed body */
            400: {
                headers: {
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description No token or an invalid token; the challenge names the reason */
            401: {
                headers: {
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description The account is disabled, or a role, a scope or the origin does not suffice */
            403: {
                headers: {
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description No account has this id */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description The request took longer than the server allows */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description The body is too large */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description The body is not `application/json` */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description Invalid fields, each named in `details` */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description Too many requests, or too many concurrent ones */
            429: {
                headers: {
                    "retry-after"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description Internal error; use `request_id` to find it in the log */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description Signing keys, database or vault are unavailable */
            503: {
                headers: {
                    "retry-after"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
        };
    };
    signInAddress: {
        parameters: {
            query?: {
                /**
                 * @description Where the user returns after the sign-in; its origin must be in `server.cors_origins`
                 * @example http://localhost:3000/auth/callback
                 */
                redirect_to?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The URL */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @example https://abc.supabase.co/auth/v1/authorize?provider=google */
                        url: string;
                    };
                };
            };
            /** @description No configured issuer supports sign-in by redirect */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description The request took longer than the server allows */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description Invalid fields, each named in `details` */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description Internal error; use `request_id` to find it in the log */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
        };
    };
    signInWithGoogle: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["GoogleCredential"];
            };
        };
        responses: {
            /** @description The user that the credential identifies */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Login"];
                };
            };
            /** @description More than one token, or a malformed body */
            400: {
                headers: {
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description No token or an invalid token; the challenge names the reason */
            401: {
                headers: {
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description The account is disabled, or a role, a scope or the origin does not suffice */
            403: {
                headers: {
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description The account was deleted while the request was processed */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description The request took longer than the server allows */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description The body is too large */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description The body is not `application/json` */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description Invalid fields, each named in `details` */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description Too many requests, or too many concurrent ones */
            429: {
                headers: {
                    "retry-after"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description Internal error; use `request_id` to find it in the log */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description Signing keys, database or vault are unavailable */
            503: {
                headers: {
                    "retry-after"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
        };
    };
    me: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The profile */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Me"];
                };
            };
            /** @description More than one token, or a malformed body */
            400: {
                headers: {
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description No token or an invalid token; the challenge names the reason */
            401: {
                headers: {
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description The account is disabled, or a role, a scope or the origin does not suffice */
            403: {
                headers: {
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description The account was deleted while the request was processed */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description The request took longer than the server allows */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description Too many requests, or too many concurrent ones */
            429: {
                headers: {
                    "retry-after"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description Internal error; use `request_id` to find it in the log */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description Signing keys, database or vault are unavailable */
            503: {
                headers: {
                    "retry-after"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
        };
    };
    verify: {
        parameters: {
            query?: {
                /** @description The minimum authentication assurance level */
                aal?: string;
                /** @description A required role; may be repeated */
                role?: string;
                /** @description Required scopes, separated by spaces */
                scope?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The request is authorized */
            200: {
                headers: {
                    /** @description The email address, or empty */
                    "x-auth-email"?: string;
                    /** @description `iss` */
                    "x-auth-issuer"?: string;
                    /** @description The `role` claim, or empty */
                    "x-auth-role"?: string;
                    /** @description The scopes, separated by spaces, or empty */
                    "x-auth-scopes"?: string;
                    /** @description `sub` */
                    "x-auth-subject"?: string;
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description More than one token, or a malformed body */
            400: {
                headers: {
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description No token or an invalid token; the challenge names the reason */
            401: {
                headers: {
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description The account is disabled, or a role, a scope or the origin does not suffice */
            403: {
                headers: {
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description The account was deleted while the request was processed */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description The request took longer than the server allows */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description Invalid fields, each named in `details` */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description Too many requests, or too many concurrent ones */
            429: {
                headers: {
                    "retry-after"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description Internal error; use `request_id` to find it in the log */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description Signing keys, database or vault are unavailable */
            503: {
                headers: {
                    "retry-after"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
        };
    };
    verifyPut: {
        parameters: {
            query?: {
                /** @description The minimum authentication assurance level */
                aal?: string;
                /** @description A required role; may be repeated */
                role?: string;
                /** @description Required scopes, separated by spaces */
                scope?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The request is authorized */
            200: {
                headers: {
                    /** @description The email address, or empty */
                    "x-auth-email"?: string;
                    /** @description `iss` */
                    "x-auth-issuer"?: string;
                    /** @description The `role` claim, or empty */
                    "x-auth-role"?: string;
                    /** @description The scopes, separated by spaces, or empty */
                    "x-auth-scopes"?: string;
                    /** @description `sub` */
                    "x-auth-subject"?: string;
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description More than one token, or a malformed body */
            400: {
                headers: {
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description No token or an invalid token; the challenge names the reason */
            401: {
                headers: {
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description The account is disabled, or a role, a scope or the origin does not suffice */
            403: {
                headers: {
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description The account was deleted while the request was processed */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description The request took longer than the server allows */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description Invalid fields, each named in `details` */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description Too many requests, or too many concurrent ones */
            429: {
                headers: {
                    "retry-after"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description Internal error; use `request_id` to find it in the log */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description Signing keys, database or vault are unavailable */
            503: {
                headers: {
                    "retry-after"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
        };
    };
    verifyPost: {
        parameters: {
            query?: {
                /** @description The minimum authentication assurance level */
                aal?: string;
                /** @description A required role; may be repeated */
                role?: string;
                /** @description Required scopes, separated by spaces */
                scope?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The request is authorized */
            200: {
                headers: {
                    /** @description The email address, or empty */
                    "x-auth-email"?: string;
                    /** @description `iss` */
                    "x-auth-issuer"?: string;
                    /** @description The `role` claim, or empty */
                    "x-auth-role"?: string;
                    /** @description The scopes, separated by spaces, or empty */
                    "x-auth-scopes"?: string;
                    /** @description `sub` */
                    "x-auth-subject"?: string;
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description More than one token, or a malformed body */
            400: {
                headers: {
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description No token or an invalid token; the challenge names the reason */
            401: {
                headers: {
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description The account is disabled, or a role, a scope or the origin does not suffice */
            403: {
                headers: {
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description The account was deleted while the request was processed */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description The request took longer than the server allows */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description Invalid fields, each named in `details` */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description Too many requests, or too many concurrent ones */
            429: {
                headers: {
                    "retry-after"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description Internal error; use `request_id` to find it in the log */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description Signing keys, database or vault are unavailable */
            503: {
                headers: {
                    "retry-after"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
        };
    };
    verifyDelete: {
        parameters: {
            query?: {
                /** @description The minimum authentication assurance level */
                aal?: string;
                /** @description A required role; may be repeated */
                role?: string;
                /** @description Required scopes, separated by spaces */
                scope?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The request is authorized */
            200: {
                headers: {
                    /** @description The email address, or empty */
                    "x-auth-email"?: string;
                    /** @description `iss` */
                    "x-auth-issuer"?: string;
                    /** @description The `role` claim, or empty */
                    "x-auth-role"?: string;
                    /** @description The scopes, separated by spaces, or empty */
                    "x-auth-scopes"?: string;
                    /** @description `sub` */
                    "x-auth-subject"?: string;
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description More than one token, or a malformed body */
            400: {
                headers: {
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description No token or an invalid token; the challenge names the reason */
            401: {
                headers: {
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description The account is disabled, or a role, a scope or the origin does not suffice */
            403: {
                headers: {
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description The account was deleted while the request was processed */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description The request took longer than the server allows */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description Invalid fields, each named in `details` */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description Too many requests, or too many concurrent ones */
            429: {
                headers: {
                    "retry-after"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description Internal error; use `request_id` to find it in the log */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description Signing keys, database or vault are unavailable */
            503: {
                headers: {
                    "retry-after"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
        };
    };
    verifyOptions: {
        parameters: {
            query?: {
                /** @description The minimum authentication assurance level */
                aal?: string;
                /** @description A required role; may be repeated */
                role?: string;
                /** @description Required scopes, separated by spaces */
                scope?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The request is authorized */
            200: {
                headers: {
                    /** @description The email address, or empty */
                    "x-auth-email"?: string;
                    /** @description `iss` */
                    "x-auth-issuer"?: string;
                    /** @description The `role` claim, or empty */
                    "x-auth-role"?: string;
                    /** @description The scopes, separated by spaces, or empty */
                    "x-auth-scopes"?: string;
                    /** @description `sub` */
                    "x-auth-subject"?: string;
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description More than one token, or a malformed body */
            400: {
                headers: {
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description No token or an invalid token; the challenge names the reason */
            401: {
                headers: {
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description The account is disabled, or a role, a scope or the origin does not suffice */
            403: {
                headers: {
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description The account was deleted while the request was processed */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description The request took longer than the server allows */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description Invalid fields, each named in `details` */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description Too many requests, or too many concurrent ones */
            429: {
                headers: {
                    "retry-after"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description Internal error; use `request_id` to find it in the log */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description Signing keys, database or vault are unavailable */
            503: {
                headers: {
                    "retry-after"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
        };
    };
    verifyHead: {
        parameters: {
            query?: {
                /** @description The minimum authentication assurance level */
                aal?: string;
                /** @description A required role; may be repeated */
                role?: string;
                /** @description Required scopes, separated by spaces */
                scope?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The request is authorized */
            200: {
                headers: {
                    /** @description The email address, or empty */
                    "x-auth-email"?: string;
                    /** @description `iss` */
                    "x-auth-issuer"?: string;
                    /** @description The `role` claim, or empty */
                    "x-auth-role"?: string;
                    /** @description The scopes, separated by spaces, or empty */
                    "x-auth-scopes"?: string;
                    /** @description `sub` */
                    "x-auth-subject"?: string;
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description More than one token, or a malformed body */
            400: {
                headers: {
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description No token or an invalid token; the challenge names the reason */
            401: {
                headers: {
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description The account is disabled, or a role, a scope or the origin does not suffice */
            403: {
                headers: {
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description The account was deleted while the request was processed */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description The request took longer than the server allows */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description Invalid fields, each named in `details` */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description Too many requests, or too many concurrent ones */
            429: {
                headers: {
                    "retry-after"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description Internal error; use `request_id` to find it in the log */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description Signing keys, database or vault are unavailable */
            503: {
                headers: {
                    "retry-after"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
        };
    };
    verifyPatch: {
        parameters: {
            query?: {
                /** @description The minimum authentication assurance level */
                aal?: string;
                /** @description A required role; may be repeated */
                role?: string;
                /** @description Required scopes, separated by spaces */
                scope?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The request is authorized */
            200: {
                headers: {
                    /** @description The email address, or empty */
                    "x-auth-email"?: string;
                    /** @description `iss` */
                    "x-auth-issuer"?: string;
                    /** @description The `role` claim, or empty */
                    "x-auth-role"?: string;
                    /** @description The scopes, separated by spaces, or empty */
                    "x-auth-scopes"?: string;
                    /** @description `sub` */
                    "x-auth-subject"?: string;
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description More than one token, or a malformed body */
            400: {
                headers: {
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description No token or an invalid token; the challenge names the reason */
            401: {
                headers: {
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description The account is disabled, or a role, a scope or the origin does not suffice */
            403: {
                headers: {
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description The account was deleted while the request was processed */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description The request took longer than the server allows */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description Invalid fields, each named in `details` */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description Too many requests, or too many concurrent ones */
            429: {
                headers: {
                    "retry-after"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description Internal error; use `request_id` to find it in the log */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description Signing keys, database or vault are unavailable */
            503: {
                headers: {
                    "retry-after"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
        };
    };
    verifyTrace: {
        parameters: {
            query?: {
                /** @description The minimum authentication assurance level */
                aal?: string;
                /** @description A required role; may be repeated */
                role?: string;
                /** @description Required scopes, separated by spaces */
                scope?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The request is authorized */
            200: {
                headers: {
                    /** @description The email address, or empty */
                    "x-auth-email"?: string;
                    /** @description `iss` */
                    "x-auth-issuer"?: string;
                    /** @description The `role` claim, or empty */
                    "x-auth-role"?: string;
                    /** @description The scopes, separated by spaces, or empty */
                    "x-auth-scopes"?: string;
                    /** @description `sub` */
                    "x-auth-subject"?: string;
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description More than one token, or a malformed body */
            400: {
                headers: {
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description No token or an invalid token; the challenge names the reason */
            401: {
                headers: {
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description The account is disabled, or a role, a scope or the origin does not suffice */
            403: {
                headers: {
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description The account was deleted while the request was processed */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description The request took longer than the server allows */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description Invalid fields, each named in `details` */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description Too many requests, or too many concurrent ones */
            429: {
                headers: {
                    "retry-after"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description Internal error; use `request_id` to find it in the log */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description Signing keys, database or vault are unavailable */
            503: {
                headers: {
                    "retry-after"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
        };
    };
    generate: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["GenerateRequest"];
            };
        };
        responses: {
            /** @description The generated text */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Generated"];
                    "text/event-stream": string;
                };
            };
            /** @description More than one token, or a malformed body */
            400: {
                headers: {
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description No token or an invalid token; the challenge names the reason */
            401: {
                headers: {
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description The account is disabled, or a role, a scope or the origin does not suffice */
            403: {
                headers: {
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description The account was deleted while the request was processed */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description The request took longer than the server allows */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description No API key for the service is stored */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description The body is too large */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description The body is not `application/json` */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description Invalid fields, each named in `details` */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description Too many requests, or too many concurrent ones */
            429: {
                headers: {
                    "retry-after"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description Internal error; use `request_id` to find it in the log */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description The service failed or rejected the API key */
            502: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description Signing keys, database or vault are unavailable */
            503: {
                headers: {
                    "retry-after"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description The service did not respond in time */
            504: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
        };
    };
    listStatusChecks: {
        parameters: {
            query?: {
                /** @description `next_cursor` of the previous page. */
                cursor?: string;
                /** @description Maximum number of items. */
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of status checks */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Page_StatusCheck"];
                };
            };
            /** @description More than one token, or a malformed body */
            400: {
                headers: {
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description No token or an invalid token; the challenge names the reason */
            401: {
                headers: {
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description The account is disabled, or a role, a scope or the origin does not suffice */
            403: {
                headers: {
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description The account was deleted while the request was processed */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description The request took longer than the server allows */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description Invalid fields, each named in `details` */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description Too many requests, or too many concurrent ones */
            429: {
                headers: {
                    "retry-after"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description Internal error; use `request_id` to find it in the log */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description Signing keys, database or vault are unavailable */
            503: {
                headers: {
                    "retry-after"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
        };
    };
    addStatusCheck: {
        parameters: {
            query?: never;
            header?: {
                /** @description 1 to 200 visible ASCII characters, unique per status check */
                "Idempotency-Key"?: string | null;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewStatusCheck"];
            };
        };
        responses: {
            /** @description The stored status check */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["StatusCheck"];
                };
            };
            /** @description More than one token, or a malformed body */
            400: {
                headers: {
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description No token or an invalid token; the challenge names the reason */
            401: {
                headers: {
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description The account is disabled, or a role, a scope or the origin does not suffice */
            403: {
                headers: {
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description The account was deleted while the request was processed */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description The request took longer than the server allows */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description The body is too large */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description The body is not `application/json` */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description Invalid fields, each named in `details` */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description Too many requests, or too many concurrent ones */
            429: {
                headers: {
                    "retry-after"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description Internal error; use `request_id` to find it in the log */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description Signing keys, database or vault are unavailable */
            503: {
                headers: {
                    "retry-after"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
        };
    };
    deleteUser: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The account was deleted */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description More than one token, or a malformed body */
            400: {
                headers: {
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description No token or an invalid token; the challenge names the reason */
            401: {
                headers: {
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description The account is disabled, or a role, a scope or the origin does not suffice */
            403: {
                headers: {
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description The account was deleted while the request was processed */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description The request took longer than the server allows */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description Too many requests, or too many concurrent ones */
            429: {
                headers: {
                    "retry-after"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description Internal error; use `request_id` to find it in the log */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description Signing keys, database or vault are unavailable */
            503: {
                headers: {
                    "retry-after"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
        };
    };
    updateUser: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ProfileFields"];
            };
        };
        responses: {
            /** @description The updated profile */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Profile"];
                };
            };
            /** @description More than one token, or a malformed body */
            400: {
                headers: {
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description No token or an invalid token; the challenge names the reason */
            401: {
                headers: {
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description The account is disabled, or a role, a scope or the origin does not suffice */
            403: {
                headers: {
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description The account was deleted while the request was processed */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description The request took longer than the server allows */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description The body is too large */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description The body is not `application/json` */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description Invalid fields, each named in `details` */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description Too many requests, or too many concurrent ones */
            429: {
                headers: {
                    "retry-after"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description Internal error; use `request_id` to find it in the log */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description Signing keys, database or vault are unavailable */
            503: {
                headers: {
                    "retry-after"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
        };
    };
    listApiKeys: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The stored keys */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MaskedKeys"];
                };
            };
            /** @description More than one token, or a malformed body */
            400: {
                headers: {
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description No token or an invalid token; the challenge names the reason */
            401: {
                headers: {
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description The account is disabled, or a role, a scope or the origin does not suffice */
            403: {
                headers: {
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description The account was deleted while the request was processed */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description The request took longer than the server allows */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description Too many requests, or too many concurrent ones */
            429: {
                headers: {
                    "retry-after"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description Internal error; use `request_id` to find it in the log */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description Signing keys, database or vault are unavailable */
            503: {
                headers: {
                    "retry-after"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
        };
    };
    keepApiKeys: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewKeys"];
            };
        };
        responses: {
            /** @description The stored keys */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MaskedKeys"];
                };
            };
            /** @description More than one token, or a malformed body */
            400: {
                headers: {
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description No token or an invalid token; the challenge names the reason */
            401: {
                headers: {
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description The account is disabled, or a role, a scope or the origin does not suffice */
            403: {
                headers: {
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description The account was deleted while the request was processed */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description The request took longer than the server allows */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description The body is too large */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description The body is not `application/json` */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description Invalid fields, each named in `details` */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description Too many requests, or too many concurrent ones */
            429: {
                headers: {
                    "retry-after"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description Internal error; use `request_id` to find it in the log */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description Signing keys, database or vault are unavailable */
            503: {
                headers: {
                    "retry-after"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
        };
    };
    removeApiKey: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description The provider's name
                 * @example togetherAI
                 */
                provider: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The remaining keys */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MaskedKeys"];
                };
            };
            /** @description More than one token, or a malformed body */
            400: {
                headers: {
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description No token or an invalid token; the challenge names the reason */
            401: {
                headers: {
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description The account is disabled, or a role, a scope or the origin does not suffice */
            403: {
                headers: {
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description No key is stored for this provider */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description The request took longer than the server allows */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description Too many requests, or too many concurrent ones */
            429: {
                headers: {
                    "retry-after"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description Internal error; use `request_id` to find it in the log */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description Signing keys, database or vault are unavailable */
            503: {
                headers: {
                    "retry-after"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
        };
    };
    health: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The health of the server */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Report"];
                };
            };
        };
    };
    live: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The process is running */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/plain": string;
                };
            };
        };
    };
    metrics: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The metrics */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/plain": string;
                };
            };
        };
    };
    openapi: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description This document */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": Record<string, never>;
                };
            };
        };
    };
    whoami: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The token's subject */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /**
                         * @description `email`.
                         * @example ada@example.com
                         */
                        email?: string | null;
                        /**
                         * @description `sub`.
                         * @example 11111111-2222-4333-8444-555555555555
                         */
                        user_id: string;
                    };
                };
            };
            /** @description More than one token, or a malformed body */
            400: {
                headers: {
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description No token or an invalid token; the challenge names the reason */
            401: {
                headers: {
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description The account is disabled, or a role, a scope or the origin does not suffice */
            403: {
                headers: {
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description The request took longer than the server allows */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description Too many requests, or too many concurrent ones */
            429: {
                headers: {
                    "retry-after"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description Internal error; use `request_id` to find it in the log */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description Signing keys, database or vault are unavailable */
            503: {
                headers: {
                    "retry-after"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
        };
    };
    ready: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The server accepts requests */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/plain": string;
                };
            };
            /** @description Signing keys or the database are unavailable */
            503: {
                headers: {
                    "retry-after"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
        };
    };
}
