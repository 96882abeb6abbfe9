// Hono with its JWK middleware, as in its documentation.
import { serve } from '@hono/node-server'
import { Hono } from 'hono'
import { jwk } from 'hono/jwk'

const { BEARWARD_CONTRACT_ISSUER: iss, BEARWARD_CONTRACT_AUDIENCE: aud, BEARWARD_CONTRACT_JWKS_URL: url, PORT } = process.env

const app = new Hono()

app.use('/protected', jwk({ jwks_uri: url, alg: ['RS256'], verification: { iss, aud } }))

app.get('/protected', c => c.json({ user_id: c.get('jwtPayload').sub }))

serve({ fetch: app.fetch, hostname: '127.0.0.1', port: Number(PORT) })
