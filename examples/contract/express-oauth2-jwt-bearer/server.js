// Express with express-oauth2-jwt-bearer, as in its README; the key set is discovered.
import express from 'express'
import { auth } from 'express-oauth2-jwt-bearer'

const { BEARWARD_CONTRACT_ISSUER: issuerBaseURL, BEARWARD_CONTRACT_AUDIENCE: audience, PORT } = process.env

const app = express()

app.use(auth({ issuerBaseURL, audience, tokenSigningAlg: 'RS256' }))

app.get('/protected', (request, response) => {
  response.json({ user_id: request.auth.payload.sub })
})

app.listen(Number(PORT), '127.0.0.1')
