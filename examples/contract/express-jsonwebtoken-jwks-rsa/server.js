// Express with jsonwebtoken and jwks-rsa, as in their READMEs.
import express from 'express'
import jwt from 'jsonwebtoken'
import jwksClient from 'jwks-rsa'

const { BEARWARD_CONTRACT_ISSUER: issuer, BEARWARD_CONTRACT_AUDIENCE: audience, BEARWARD_CONTRACT_JWKS_URL: jwksUri, PORT } = process.env

const client = jwksClient({ jwksUri, cache: true, rateLimit: true, jwksRequestsPerMinute: 5 })

function key(header, callback) {
  client.getSigningKey(header.kid, (error, key) => callback(error, key?.getPublicKey()))
}

function authenticate(request, response, next) {
  const [scheme, token] = (request.headers.authorization ?? '').split(' ')
  if (scheme.toLowerCase() !== 'bearer' || !token) return response.status(401).set('WWW-Authenticate', 'Bearer').end()
  jwt.verify(token, key, { issuer, audience, algorithms: ['RS256'] }, (error, payload) => {
    if (error) return response.status(401).set('WWW-Authenticate', 'Bearer error="invalid_token"').end()
    request.user = payload
    next()
  })
}

const app = express()

app.get('/protected', authenticate, (request, response) => {
  response.json({ user_id: request.user.sub })
})

app.listen(Number(PORT), '127.0.0.1')
