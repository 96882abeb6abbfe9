// Made by `npm run schema` from the document of `bearward openapi`. Not to be edited.
export interface paths {
    "/.well-known/oauth-protected-resource": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Protected resource metadata (RFC 9728) */
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
        /** Every account, the latest first */
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
         * Let an account be used, or not
         * @description A closed account is refused on every replica within 20 seconds.
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
         * Where to sign in with Google
         * @description The authorization endpoint of the configured identity provider.
         */
        get: operations["signInAddress"];
        put?: never;
        /**
         * Sign in with a Google ID token
         * @description What stands beside the credential is not looked at.
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
         * The caller's profile and claims
         * @description The first request of a subject makes its account.
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
         * May this request pass, and whose is it?
         * @description For a gateway, about each request that it gets. 200 without a body, and who it is in headers, for the gateway to copy onto the request that it lets pass:
         *
         *     | header | is |
         *     |---|---|
         *     | `X-Auth-Subject` | `sub`: who, unique within the issuer |
         *     | `X-Auth-Issuer` | `iss`, in the configured spelling |
         *     | `X-Auth-Email` | the e-mail address; it identifies nobody |
         *     | `X-Auth-Role` | the one `role` claim; with Supabase `authenticated`. `?role=` asks the list of roles |
         *     | `X-Auth-Scopes` | the scopes, separated by spaces |
         *
         *     Each is there always, and empty where the token has no such claim: some gateways keep what the client sent under a name that is
         *     not in this answer, and a header that is absent would then be a header that the client can forge.
         *
         *     In a value, each byte of UTF-8 that is no visible ASCII character, and `%`, is written as `%` and two hexadecimal digits: whatever stands in a
         *     claim, it neither breaks the header nor begins another. `decodeURIComponent` and its like give back the claim.
         *
         *     The query narrows it; every parameter must hold: `role`, `scope` (words separated by spaces, all of them), `aal` (`aal1`, `aal2`, `aal3`:
         *     at least). Any other is refused, because a restriction that is passed over is an open door.
         *
         *     # Errors
         *     As every route of an account; then 422 for a query that cannot be read; then 403 for a role or a scope, 401 for a level.
         */
        get: operations["verify"];
        /**
         * May this request pass, and whose is it?
         * @description For a gateway, about each request that it gets. 200 without a body, and who it is in headers, for the gateway to copy onto the request that it lets pass:
         *
         *     | header | is |
         *     |---|---|
         *     | `X-Auth-Subject` | `sub`: who, unique within the issuer |
         *     | `X-Auth-Issuer` | `iss`, in the configured spelling |
         *     | `X-Auth-Email` | the e-mail address; it identifies nobody |
         *     | `X-Auth-Role` | the one `role` claim; with Supabase `authenticated`. `?role=` asks the list of roles |
         *     | `X-Auth-Scopes` | the scopes, separated by spaces |
         *
         *     Each is there always, and empty where the token has no such claim: some gateways keep what the client sent under a name that is
         *     not in this answer, and a header that is absent would then be a header that the client can forge.
         *
         *     In a value, each byte of UTF-8 that is no visible ASCII character, and `%`, is written as `%` and two hexadecimal digits: whatever stands in a
         *     claim, it neither breaks the header nor begins another. `decodeURIComponent` and its like give back the claim.
         *
         *     The query narrows it; every parameter must hold: `role`, `scope` (words separated by spaces, all of them), `aal` (`aal1`, `aal2`, `aal3`:
         *     at least). Any other is refused, because a restriction that is passed over is an open door.
         *
         *     # Errors
         *     As every route of an account; then 422 for a query that cannot be read; then 403 for a role or a scope, 401 for a level.
         */
        put: operations["verifyPut"];
        /**
         * May this request pass, and whose is it?
         * @description For a gateway, about each request that it gets. 200 without a body, and who it is in headers, for the gateway to copy onto the request that it lets pass:
         *
         *     | header | is |
         *     |---|---|
         *     | `X-Auth-Subject` | `sub`: who, unique within the issuer |
         *     | `X-Auth-Issuer` | `iss`, in the configured spelling |
         *     | `X-Auth-Email` | the e-mail address; it identifies nobody |
         *     | `X-Auth-Role` | the one `role` claim; with Supabase `authenticated`. `?role=` asks the list of roles |
         *     | `X-Auth-Scopes` | the scopes, separated by spaces |
         *
         *     Each is there always, and empty where the token has no such claim: some gateways keep what the client sent under a name that is
         *     not in this answer, and a header that is absent would then be a header that the client can forge.
         *
         *     In a value, each byte of UTF-8 that is no visible ASCII character, and `%`, is written as `%` and two hexadecimal digits: whatever stands in a
         *     claim, it neither breaks the header nor begins another. `decodeURIComponent` and its like give back the claim.
         *
         *     The query narrows it; every parameter must hold: `role`, `scope` (words separated by spaces, all of them), `aal` (`aal1`, `aal2`, `aal3`:
         *     at least). Any other is refused, because a restriction that is passed over is an open door.
         *
         *     # Errors
         *     As every route of an account; then 422 for a query that cannot be read; then 403 for a role or a scope, 401 for a level.
         */
        post: operations["verifyPost"];
        /**
         * May this request pass, and whose is it?
         * @description For a gateway, about each request that it gets. 200 without a body, and who it is in headers, for the gateway to copy onto the request that it lets pass:
         *
         *     | header | is |
         *     |---|---|
         *     | `X-Auth-Subject` | `sub`: who, unique within the issuer |
         *     | `X-Auth-Issuer` | `iss`, in the configured spelling |
         *     | `X-Auth-Email` | the e-mail address; it identifies nobody |
         *     | `X-Auth-Role` | the one `role` claim; with Supabase `authenticated`. `?role=` asks the list of roles |
         *     | `X-Auth-Scopes` | the scopes, separated by spaces |
         *
         *     Each is there always, and empty where the token has no such claim: some gateways keep what the client sent under a name that is
         *     not in this answer, and a header that is absent would then be a header that the client can forge.
         *
         *     In a value, each byte of UTF-8 that is no visible ASCII character, and `%`, is written as `%` and two hexadecimal digits: whatever stands in a
         *     claim, it neither breaks the header nor begins another. `decodeURIComponent` and its like give back the claim.
         *
         *     The query narrows it; every parameter must hold: `role`, `scope` (words separated by spaces, all of them), `aal` (`aal1`, `aal2`, `aal3`:
         *     at least). Any other is refused, because a restriction that is passed over is an open door.
         *
         *     # Errors
         *     As every route of an account; then 422 for a query that cannot be read; then 403 for a role or a scope, 401 for a level.
         */
        delete: operations["verifyDelete"];
        /**
         * May this request pass, and whose is it?
         * @description For a gateway, about each request that it gets. 200 without a body, and who it is in headers, for the gateway to copy onto the request that it lets pass:
         *
         *     | header | is |
         *     |---|---|
         *     | `X-Auth-Subject` | `sub`: who, unique within the issuer |
         *     | `X-Auth-Issuer` | `iss`, in the configured spelling |
         *     | `X-Auth-Email` | the e-mail address; it identifies nobody |
         *     | `X-Auth-Role` | the one `role` claim; with Supabase `authenticated`. `?role=` asks the list of roles |
         *     | `X-Auth-Scopes` | the scopes, separated by spaces |
         *
         *     Each is there always, and empty where the token has no such claim: some gateways keep what the client sent under a name that is
         *     not in this answer, and a header that is absent would then be a header that the client can forge.
         *
         *     In a value, each byte of UTF-8 that is no visible ASCII character, and `%`, is written as `%` and two hexadecimal digits: whatever stands in a
         *     claim, it neither breaks the header nor begins another. `decodeURIComponent` and its like give back the claim.
         *
         *     The query narrows it; every parameter must hold: `role`, `scope` (words separated by spaces, all of them), `aal` (`aal1`, `aal2`, `aal3`:
         *     at least). Any other is refused, because a restriction that is passed over is an open door.
         *
         *     # Errors
         *     As every route of an account; then 422 for a query that cannot be read; then 403 for a role or a scope, 401 for a level.
         */
        options: operations["verifyOptions"];
        /**
         * May this request pass, and whose is it?
         * @description For a gateway, about each request that it gets. 200 without a body, and who it is in headers, for the gateway to copy onto the request that it lets pass:
         *
         *     | header | is |
         *     |---|---|
         *     | `X-Auth-Subject` | `sub`: who, unique within the issuer |
         *     | `X-Auth-Issuer` | `iss`, in the configured spelling |
         *     | `X-Auth-Email` | the e-mail address; it identifies nobody |
         *     | `X-Auth-Role` | the one `role` claim; with Supabase `authenticated`. `?role=` asks the list of roles |
         *     | `X-Auth-Scopes` | the scopes, separated by spaces |
         *
         *     Each is there always, and empty where the token has no such claim: some gateways keep what the client sent under a name that is
         *     not in this answer, and a header that is absent would then be a header that the client can forge.
         *
         *     In a value, each byte of UTF-8 that is no visible ASCII character, and `%`, is written as `%` and two hexadecimal digits: whatever stands in a
         *     claim, it neither breaks the header nor begins another. `decodeURIComponent` and its like give back the claim.
         *
         *     The query narrows it; every parameter must hold: `role`, `scope` (words separated by spaces, all of them), `aal` (`aal1`, `aal2`, `aal3`:
         *     at least). Any other is refused, because a restriction that is passed over is an open door.
         *
         *     # Errors
         *     As every route of an account; then 422 for a query that cannot be read; then 403 for a role or a scope, 401 for a level.
         */
        head: operations["verifyHead"];
        /**
         * May this request pass, and whose is it?
         * @description For a gateway, about each request that it gets. 200 without a body, and who it is in headers, for the gateway to copy onto the request that it lets pass:
         *
         *     | header | is |
         *     |---|---|
         *     | `X-Auth-Subject` | `sub`: who, unique within the issuer |
         *     | `X-Auth-Issuer` | `iss`, in the configured spelling |
         *     | `X-Auth-Email` | the e-mail address; it identifies nobody |
         *     | `X-Auth-Role` | the one `role` claim; with Supabase `authenticated`. `?role=` asks the list of roles |
         *     | `X-Auth-Scopes` | the scopes, separated by spaces |
         *
         *     Each is there always, and empty where the token has no such claim: some gateways keep what the client sent under a name that is
         *     not in this answer, and a header that is absent would then be a header that the client can forge.
         *
         *     In a value, each byte of UTF-8 that is no visible ASCII character, and `%`, is written as `%` and two hexadecimal digits: whatever stands in a
         *     claim, it neither breaks the header nor begins another. `decodeURIComponent` and its like give back the claim.
         *
         *     The query narrows it; every parameter must hold: `role`, `scope` (words separated by spaces, all of them), `aal` (`aal1`, `aal2`, `aal3`:
         *     at least). Any other is refused, because a restriction that is passed over is an open door.
         *
         *     # Errors
         *     As every route of an account; then 422 for a query that cannot be read; then 403 for a role or a scope, 401 for a level.
         */
        patch: operations["verifyPatch"];
        /**
         * May this request pass, and whose is it?
         * @description For a gateway, about each request that it gets. 200 without a body, and who it is in headers, for the gateway to copy onto the request that it lets pass:
         *
         *     | header | is |
         *     |---|---|
         *     | `X-Auth-Subject` | `sub`: who, unique within the issuer |
         *     | `X-Auth-Issuer` | `iss`, in the configured spelling |
         *     | `X-Auth-Email` | the e-mail address; it identifies nobody |
         *     | `X-Auth-Role` | the one `role` claim; with Supabase `authenticated`. `?role=` asks the list of roles |
         *     | `X-Auth-Scopes` | the scopes, separated by spaces |
         *
         *     Each is there always, and empty where the token has no such claim: some gateways keep what the client sent under a name that is
         *     not in this answer, and a header that is absent would then be a header that the client can forge.
         *
         *     In a value, each byte of UTF-8 that is no visible ASCII character, and `%`, is written as `%` and two hexadecimal digits: whatever stands in a
         *     claim, it neither breaks the header nor begins another. `decodeURIComponent` and its like give back the claim.
         *
         *     The query narrows it; every parameter must hold: `role`, `scope` (words separated by spaces, all of them), `aal` (`aal1`, `aal2`, `aal3`:
         *     at least). Any other is refused, because a restriction that is passed over is an open door.
         *
         *     # Errors
         *     As every route of an account; then 422 for a query that cannot be read; then 403 for a role or a scope, 401 for a level.
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
         * @description With the caller's own key for `togetherAI`. With `stream` the answer is server-sent events in the form of OpenAI's chat completions: each `data:`
         *     is a chunk, the last one `[DONE]`. When the service fails in the middle, an `event: error` with the error's envelope ends the stream.
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
        /** The caller's reports, newest first */
        get: operations["listStatusChecks"];
        put?: never;
        /**
         * Report
         * @description With an `Idempotency-Key` the same report may be sent again: it is kept once.
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
         * Leave
         * @description Erases every row of the caller. The token lives on until it expires: its next request makes a new, empty account.
         */
        delete: operations["eraseUser"];
        options?: never;
        head?: never;
        /**
         * Change name or picture
         * @description A field that is absent stays; null goes back to what the issuer says.
         */
        patch: operations["changeUser"];
        trace?: never;
    };
    "/api/user/api-keys": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The caller's keys, masked */
        get: operations["listApiKeys"];
        put?: never;
        /**
         * Keep one or several keys
         * @description In place of those that are kept for the same providers. All of them are kept, or none.
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
        /** Remove a key */
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
         * Version, keys, database
         * @description Always 200 while the process can answer: a degraded service is still better than a restarted one.
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
         * Is the process up?
         * @description Never depends on the issuer or the database: restarting this process would cure neither.
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
         * What has been counted
         * @description On `server.admin_bind` when that is set.
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
        /** The OpenAPI document */
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
         * Who the token says you are
         * @description Touches no database: the plainest protected route.
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
        /** May requests come? */
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
        /** @description Whether an account may be used. */
        Activity: {
            /** @example false */
            is_active: boolean;
        };
        /** @description What the token grants. */
        Claimed: {
            /**
             * @description The authenticator assurance level.
             * @example aal1
             */
            aal: string | null;
            /**
             * Format: date-time
             * @description `exp`.
             */
            expires_at: string;
            /**
             * @description The single role claim.
             * @example authenticated
             */
            role: string | null;
            /** @description The application roles. */
            roles: string[];
            /** @description The scopes. */
            scopes: string[];
            /** @description The session at the issuer. */
            session_id: string | null;
        };
        /** @description What is wrong. */
        ErrorBody: {
            /**
             * @description Stable, for programs.
             * @example TOKEN_EXPIRED
             */
            code: string;
            /** @description What the client can act on; for `VALIDATION_FAILED` a list of `{field, problem}`. */
            details: unknown;
            /**
             * @description For people.
             * @example the token has expired
             */
            message: string;
        };
        /** @description The body of every error. */
        ErrorEnvelope: {
            error: components["schemas"]["ErrorBody"];
            /** @description Under which id the log has the cause. */
            request_id: string | null;
            /**
             * @description Always false.
             * @example false
             */
            success: boolean;
        };
        /** @description What the model wrote. */
        Generated: {
            /**
             * @description The text.
             * @example fn reverse(text: &str) -> String {
             *         text.chars().rev().collect()
             *     }
             */
            code: string;
            /**
             * @description Which model it was.
             * @example Qwen/Qwen2.5-Coder-32B-Instruct
             */
            model: string;
            /** @example true */
            success: boolean;
            usage: components["schemas"]["Usage"] | null;
        };
        /** @description What to ask for. */
        GenerateRequest: {
            /**
             * @description Another model than the configured one.
             * @example Qwen/Qwen2.5-Coder-32B-Instruct
             */
            model?: string | null;
            /**
             * @description What the model is told.
             * @example A function that reverses a string, in Rust
             */
            prompt: string;
            /** @description Whether the answer is sent as it comes. */
            stream?: boolean | null;
        };
        /** @description A Google ID token. */
        GoogleCredential: {
            /**
             * @description The ID token that Google's button gives.
             * @example eyJhbGciOiJSUzI1NiIs...
             */
            credential: string;
            /** @description May be sent, is not looked at. */
            user?: unknown;
        };
        /** @description The user, in the names that this route has always had. */
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
        /** @description An issuer's key set. */
        KeysReport: {
            /** Format: int64 */
            age_seconds: number | null;
            keys: number;
            /** @example fresh */
            state: string;
        };
        /** @description What a login is answered with. */
        Login: {
            /** @example Login successful */
            message: string;
            /** @example true */
            success: boolean;
            user: components["schemas"]["GoogleUser"];
        };
        /** @description The caller's keys. */
        MaskedKeys: {
            /**
             * @description By provider; the first 8 and the last 4 characters, all stars for a short key.
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
        /** @description A profile, and the claims that decide what its bearer may do. */
        Me: components["schemas"]["Profile"] & {
            claims: components["schemas"]["Claimed"];
        };
        /** @description The protected resource metadata, made once. */
        Metadata: {
            authorization_servers: string[];
            bearer_methods_supported: string[];
            resource: string;
            resource_name: string;
        };
        /** @description Keys to keep, by provider: one or several of those that `vault.providers` lists. */
        NewKeys: {
            codeRabbit?: string;
            googleProviderToken?: string;
            kestra?: string;
            oumi?: string;
            /** @example sk-abc12345678901234567890wxyz */
            togetherAI?: string;
        };
        /** @description A report to keep. */
        NewStatusCheck: {
            /**
             * @description One line, without spaces around it.
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
        /** @description What a user may change. At least one of them. */
        ProfileFields: {
            /**
             * @description One line, without spaces around it.
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
        /** @description Tokens, as the service counts them. */
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
            /** @description What this resource is, and whose tokens it takes */
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
                /** @description `next_cursor` of the page before. */
                cursor?: string;
                /** @description How many rows. */
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Page_Profile"];
                };
            };
            /** @description Two tokens, or a body that is not readable */
            400: {
                headers: {
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description No token, or one that is refused; the challenge says why */
            401: {
                headers: {
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description A closed account, or a missing role, scope or origin */
            403: {
                headers: {
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description The account was erased while the request was on its way */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description It took longer than the server allows */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description Fields that are not as they must be, each named in `details` */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description Too many requests, or too many at once */
            429: {
                headers: {
                    "retry-after"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description A fault of ours, which the log has under the request's id */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description Keys, database or vault are away */
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
                "application/json": components["schemas"]["Activity"];
            };
        };
        responses: {
            /** @description The account after the change */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Profile"];
                };
            };
            /** @description Two tokens, or a body that is not readable */
            400: {
                headers: {
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description No token, or one that is refused; the challenge says why */
            401: {
                headers: {
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description A closed account, or a missing role, scope or origin */
            403: {
                headers: {
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description There is no such account */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description It took longer than the server allows */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description A body that is too large */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description A body that is not application/json */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description Fields that are not as they must be, each named in `details` */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description Too many requests, or too many at once */
            429: {
                headers: {
                    "retry-after"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description A fault of ours, which the log has under the request's id */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description Keys, database or vault are away */
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
                 * @description Where to come back to; its origin must be one of `server.cors_origins`
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
            /** @description The address */
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
            /** @description No configured issuer offers it */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description It took longer than the server allows */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description Fields that are not as they must be, each named in `details` */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description A fault of ours, which the log has under the request's id */
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
            /** @description The user that the credential names */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Login"];
                };
            };
            /** @description Two tokens, or a body that is not readable */
            400: {
                headers: {
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description No token, or one that is refused; the challenge says why */
            401: {
                headers: {
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description A closed account, or a missing role, scope or origin */
            403: {
                headers: {
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description The account was erased while the request was on its way */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description It took longer than the server allows */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description A body that is too large */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description A body that is not application/json */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description Fields that are not as they must be, each named in `details` */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description Too many requests, or too many at once */
            429: {
                headers: {
                    "retry-after"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description A fault of ours, which the log has under the request's id */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description Keys, database or vault are away */
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
            /** @description Two tokens, or a body that is not readable */
            400: {
                headers: {
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description No token, or one that is refused; the challenge says why */
            401: {
                headers: {
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description A closed account, or a missing role, scope or origin */
            403: {
                headers: {
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description The account was erased while the request was on its way */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description It took longer than the server allows */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description Too many requests, or too many at once */
            429: {
                headers: {
                    "retry-after"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description A fault of ours, which the log has under the request's id */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description Keys, database or vault are away */
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
                /** @description The level of authentication, at least */
                aal?: string;
                /** @description A role that the roles must hold; may be repeated */
                role?: string;
                /** @description Words separated by spaces: scopes that must all be there */
                scope?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It may pass */
            200: {
                headers: {
                    /** @description The address, or empty */
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
            /** @description Two tokens, or a body that is not readable */
            400: {
                headers: {
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description No token, or one that is refused; the challenge says why */
            401: {
                headers: {
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description A closed account, or a missing role, scope or origin */
            403: {
                headers: {
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description The account was erased while the request was on its way */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description It took longer than the server allows */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description Fields that are not as they must be, each named in `details` */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description Too many requests, or too many at once */
            429: {
                headers: {
                    "retry-after"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description A fault of ours, which the log has under the request's id */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description Keys, database or vault are away */
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
                /** @description The level of authentication, at least */
                aal?: string;
                /** @description A role that the roles must hold; may be repeated */
                role?: string;
                /** @description Words separated by spaces: scopes that must all be there */
                scope?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It may pass */
            200: {
                headers: {
                    /** @description The address, or empty */
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
            /** @description Two tokens, or a body that is not readable */
            400: {
                headers: {
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description No token, or one that is refused; the challenge says why */
            401: {
                headers: {
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description A closed account, or a missing role, scope or origin */
            403: {
                headers: {
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description The account was erased while the request was on its way */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description It took longer than the server allows */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description Fields that are not as they must be, each named in `details` */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description Too many requests, or too many at once */
            429: {
                headers: {
                    "retry-after"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description A fault of ours, which the log has under the request's id */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description Keys, database or vault are away */
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
                /** @description The level of authentication, at least */
                aal?: string;
                /** @description A role that the roles must hold; may be repeated */
                role?: string;
                /** @description Words separated by spaces: scopes that must all be there */
                scope?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It may pass */
            200: {
                headers: {
                    /** @description The address, or empty */
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
            /** @description Two tokens, or a body that is not readable */
            400: {
                headers: {
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description No token, or one that is refused; the challenge says why */
            401: {
                headers: {
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description A closed account, or a missing role, scope or origin */
            403: {
                headers: {
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description The account was erased while the request was on its way */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description It took longer than the server allows */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description Fields that are not as they must be, each named in `details` */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description Too many requests, or too many at once */
            429: {
                headers: {
                    "retry-after"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description A fault of ours, which the log has under the request's id */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description Keys, database or vault are away */
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
                /** @description The level of authentication, at least */
                aal?: string;
                /** @description A role that the roles must hold; may be repeated */
                role?: string;
                /** @description Words separated by spaces: scopes that must all be there */
                scope?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It may pass */
            200: {
                headers: {
                    /** @description The address, or empty */
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
            /** @description Two tokens, or a body that is not readable */
            400: {
                headers: {
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description No token, or one that is refused; the challenge says why */
            401: {
                headers: {
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description A closed account, or a missing role, scope or origin */
            403: {
                headers: {
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description The account was erased while the request was on its way */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description It took longer than the server allows */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description Fields that are not as they must be, each named in `details` */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description Too many requests, or too many at once */
            429: {
                headers: {
                    "retry-after"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description A fault of ours, which the log has under the request's id */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description Keys, database or vault are away */
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
                /** @description The level of authentication, at least */
                aal?: string;
                /** @description A role that the roles must hold; may be repeated */
                role?: string;
                /** @description Words separated by spaces: scopes that must all be there */
                scope?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It may pass */
            200: {
                headers: {
                    /** @description The address, or empty */
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
            /** @description Two tokens, or a body that is not readable */
            400: {
                headers: {
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description No token, or one that is refused; the challenge says why */
            401: {
                headers: {
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description A closed account, or a missing role, scope or origin */
            403: {
                headers: {
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description The account was erased while the request was on its way */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description It took longer than the server allows */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description Fields that are not as they must be, each named in `details` */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description Too many requests, or too many at once */
            429: {
                headers: {
                    "retry-after"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description A fault of ours, which the log has under the request's id */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description Keys, database or vault are away */
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
                /** @description The level of authentication, at least */
                aal?: string;
                /** @description A role that the roles must hold; may be repeated */
                role?: string;
                /** @description Words separated by spaces: scopes that must all be there */
                scope?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It may pass */
            200: {
                headers: {
                    /** @description The address, or empty */
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
            /** @description Two tokens, or a body that is not readable */
            400: {
                headers: {
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description No token, or one that is refused; the challenge says why */
            401: {
                headers: {
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description A closed account, or a missing role, scope or origin */
            403: {
                headers: {
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description The account was erased while the request was on its way */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description It took longer than the server allows */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description Fields that are not as they must be, each named in `details` */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description Too many requests, or too many at once */
            429: {
                headers: {
                    "retry-after"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description A fault of ours, which the log has under the request's id */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description Keys, database or vault are away */
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
                /** @description The level of authentication, at least */
                aal?: string;
                /** @description A role that the roles must hold; may be repeated */
                role?: string;
                /** @description Words separated by spaces: scopes that must all be there */
                scope?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It may pass */
            200: {
                headers: {
                    /** @description The address, or empty */
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
            /** @description Two tokens, or a body that is not readable */
            400: {
                headers: {
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description No token, or one that is refused; the challenge says why */
            401: {
                headers: {
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description A closed account, or a missing role, scope or origin */
            403: {
                headers: {
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description The account was erased while the request was on its way */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description It took longer than the server allows */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description Fields that are not as they must be, each named in `details` */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description Too many requests, or too many at once */
            429: {
                headers: {
                    "retry-after"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description A fault of ours, which the log has under the request's id */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description Keys, database or vault are away */
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
                /** @description The level of authentication, at least */
                aal?: string;
                /** @description A role that the roles must hold; may be repeated */
                role?: string;
                /** @description Words separated by spaces: scopes that must all be there */
                scope?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It may pass */
            200: {
                headers: {
                    /** @description The address, or empty */
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
            /** @description Two tokens, or a body that is not readable */
            400: {
                headers: {
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description No token, or one that is refused; the challenge says why */
            401: {
                headers: {
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description A closed account, or a missing role, scope or origin */
            403: {
                headers: {
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description The account was erased while the request was on its way */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description It took longer than the server allows */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description Fields that are not as they must be, each named in `details` */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description Too many requests, or too many at once */
            429: {
                headers: {
                    "retry-after"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description A fault of ours, which the log has under the request's id */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description Keys, database or vault are away */
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
            /** @description What the model wrote */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Generated"];
                    "text/event-stream": string;
                };
            };
            /** @description Two tokens, or a body that is not readable */
            400: {
                headers: {
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description No token, or one that is refused; the challenge says why */
            401: {
                headers: {
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description A closed account, or a missing role, scope or origin */
            403: {
                headers: {
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description The account was erased while the request was on its way */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description It took longer than the server allows */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description No key for the service is kept */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description A body that is too large */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description A body that is not application/json */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description Fields that are not as they must be, each named in `details` */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description Too many requests, or too many at once */
            429: {
                headers: {
                    "retry-after"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description A fault of ours, which the log has under the request's id */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description The service failed, or refused the key */
            502: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description Keys, database or vault are away */
            503: {
                headers: {
                    "retry-after"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description The service did not answer in time */
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
                /** @description `next_cursor` of the page before. */
                cursor?: string;
                /** @description How many rows. */
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Page_StatusCheck"];
                };
            };
            /** @description Two tokens, or a body that is not readable */
            400: {
                headers: {
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description No token, or one that is refused; the challenge says why */
            401: {
                headers: {
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description A closed account, or a missing role, scope or origin */
            403: {
                headers: {
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description The account was erased while the request was on its way */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description It took longer than the server allows */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description Fields that are not as they must be, each named in `details` */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description Too many requests, or too many at once */
            429: {
                headers: {
                    "retry-after"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description A fault of ours, which the log has under the request's id */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description Keys, database or vault are away */
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
                /** @description 1 to 200 visible characters of the client's choice, one for each report */
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
            /** @description The report, as it is kept */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["StatusCheck"];
                };
            };
            /** @description Two tokens, or a body that is not readable */
            400: {
                headers: {
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description No token, or one that is refused; the challenge says why */
            401: {
                headers: {
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description A closed account, or a missing role, scope or origin */
            403: {
                headers: {
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description The account was erased while the request was on its way */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description It took longer than the server allows */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description A body that is too large */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description A body that is not application/json */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description Fields that are not as they must be, each named in `details` */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description Too many requests, or too many at once */
            429: {
                headers: {
                    "retry-after"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description A fault of ours, which the log has under the request's id */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description Keys, database or vault are away */
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
    eraseUser: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Nothing is left */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Two tokens, or a body that is not readable */
            400: {
                headers: {
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description No token, or one that is refused; the challenge says why */
            401: {
                headers: {
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description A closed account, or a missing role, scope or origin */
            403: {
                headers: {
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description The account was erased while the request was on its way */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description It took longer than the server allows */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description Too many requests, or too many at once */
            429: {
                headers: {
                    "retry-after"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description A fault of ours, which the log has under the request's id */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description Keys, database or vault are away */
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
    changeUser: {
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
            /** @description The profile after the change */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Profile"];
                };
            };
            /** @description Two tokens, or a body that is not readable */
            400: {
                headers: {
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description No token, or one that is refused; the challenge says why */
            401: {
                headers: {
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description A closed account, or a missing role, scope or origin */
            403: {
                headers: {
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description The account was erased while the request was on its way */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description It took longer than the server allows */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description A body that is too large */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description A body that is not application/json */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description Fields that are not as they must be, each named in `details` */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description Too many requests, or too many at once */
            429: {
                headers: {
                    "retry-after"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description A fault of ours, which the log has under the request's id */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description Keys, database or vault are away */
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
            /** @description What is kept */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MaskedKeys"];
                };
            };
            /** @description Two tokens, or a body that is not readable */
            400: {
                headers: {
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description No token, or one that is refused; the challenge says why */
            401: {
                headers: {
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description A closed account, or a missing role, scope or origin */
            403: {
                headers: {
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description The account was erased while the request was on its way */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description It took longer than the server allows */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description Too many requests, or too many at once */
            429: {
                headers: {
                    "retry-after"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description A fault of ours, which the log has under the request's id */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description Keys, database or vault are away */
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
            /** @description What is kept now */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MaskedKeys"];
                };
            };
            /** @description Two tokens, or a body that is not readable */
            400: {
                headers: {
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description No token, or one that is refused; the challenge says why */
            401: {
                headers: {
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description A closed account, or a missing role, scope or origin */
            403: {
                headers: {
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description The account was erased while the request was on its way */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description It took longer than the server allows */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description A body that is too large */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description A body that is not application/json */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description Fields that are not as they must be, each named in `details` */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description Too many requests, or too many at once */
            429: {
                headers: {
                    "retry-after"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description A fault of ours, which the log has under the request's id */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description Keys, database or vault are away */
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
            /** @description What is kept now */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MaskedKeys"];
                };
            };
            /** @description Two tokens, or a body that is not readable */
            400: {
                headers: {
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description No token, or one that is refused; the challenge says why */
            401: {
                headers: {
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description A closed account, or a missing role, scope or origin */
            403: {
                headers: {
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description There is no key for this provider */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description It took longer than the server allows */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description Too many requests, or too many at once */
            429: {
                headers: {
                    "retry-after"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description A fault of ours, which the log has under the request's id */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description Keys, database or vault are away */
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
            /** @description What the server knows of its health */
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
            /** @description Yes */
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
            /** @description Prometheus text */
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
            /** @description Two tokens, or a body that is not readable */
            400: {
                headers: {
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description No token, or one that is refused; the challenge says why */
            401: {
                headers: {
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description A closed account, or a missing role, scope or origin */
            403: {
                headers: {
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description It took longer than the server allows */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description Too many requests, or too many at once */
            429: {
                headers: {
                    "retry-after"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description A fault of ours, which the log has under the request's id */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorEnvelope"];
                };
            };
            /** @description Keys, database or vault are away */
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
            /** @description Yes */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/plain": string;
                };
            };
            /** @description Keys or database are missing */
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
