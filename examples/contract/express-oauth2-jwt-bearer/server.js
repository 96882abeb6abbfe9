// Express with express-oauth2-jwt-bearer, as in its README; the key set is discovered.
import express from 'express'
import { auth } from 'express-oauth2-jwt-bearer'

const { BEARWARD_CONTRACT_ISSUER: issuerBaseURL, BEARWARD_CONTRACT_AUDIENCE: audience, PORT } = process.env

const app = express()

// The certificate of the client that a proxy on this machine forwards, for tokens that are bound to it.
const getCertificate = (request) => {
  const header = request.socket.remoteAddress === '127.0.0.1' && request.get('ssl-client-cert')
  return header ? decodeURIComponent(header) : undefined
}

app.use(auth({ issuerBaseURL, audience, tokenSigningAlg: 'RS256', getCertificate }))

app.get('/protected', (request, response) => {
  response.json({ user_id: request.auth.payload.sub })
})

app.listen(Number(PORT), '127.0.0.1')
