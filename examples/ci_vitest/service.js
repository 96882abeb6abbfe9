// The service under test: Fastify with jose. Only SUPABASE_URL differs between tests and production.
import Fastify from 'fastify'
import { createRemoteJWKSet, jwtVerify } from 'jose'

/** `cooldown` is the minimum time between two fetches of the keys, in milliseconds. */
export function service(supabaseUrl, { cooldown = 30_000 } = {}) {
  const issuer = `${supabaseUrl}/auth/v1`
  const keys = createRemoteJWKSet(new URL(`${issuer}/.well-known/jwks.json`), { cooldownDuration: cooldown })
  const app = Fastify()

  app.addHook('onRequest', async (request, reply) => {
    const [scheme, token] = (request.headers.authorization ?? '').split(' ')
    if (scheme.toLowerCase() !== 'bearer' || !token) return reply.code(401).header('WWW-Authenticate', 'Bearer').send()
    try {
      const { payload } = await jwtVerify(token, keys, { issuer, audience: 'authenticated', algorithms: ['RS256'] })
      request.user = payload
    } catch {
      return reply.code(401).header('WWW-Authenticate', 'Bearer error="invalid_token"').send()
    }
  })

  app.get('/orders', async request => ({ of: request.user.sub }))

  app.delete('/orders', async (request, reply) => {
    if (request.user.app_metadata?.role !== 'admin') return reply.code(403).send()
    return { deleted: true }
  })

  return app
}
