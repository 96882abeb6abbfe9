// Fastify with jose's createRemoteJWKSet, as in its documentation.
import Fastify from 'fastify'
import { createRemoteJWKSet, jwtVerify } from 'jose'

const { BEARWARD_CONTRACT_ISSUER: issuer, BEARWARD_CONTRACT_AUDIENCE: audience, BEARWARD_CONTRACT_JWKS_URL: url, PORT } = process.env

const keys = createRemoteJWKSet(new URL(url))
const app = Fastify()

app.addHook('onRequest', async (request, reply) => {
  const [scheme, token] = (request.headers.authorization ?? '').split(' ')
  if (scheme.toLowerCase() !== 'bearer' || !token) return reply.code(401).header('WWW-Authenticate', 'Bearer').send()
  try {
    const { payload } = await jwtVerify(token, keys, { issuer, audience, algorithms: ['RS256'] })
    request.user = payload
  } catch {
    return reply.code(401).header('WWW-Authenticate', 'Bearer error="invalid_token"').send()
  }
})

app.get('/protected', async request => ({ user_id: request.user.sub }))

await app.listen({ host: '127.0.0.1', port: Number(PORT) })
