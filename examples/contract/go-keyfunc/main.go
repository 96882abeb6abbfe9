// Package main is a server with net/http, golang-jwt and keyfunc, as in the documentation of keyfunc.
package main

import (
	"context"
	"encoding/json"
	"log"
	"net/http"
	"os"
	"strings"

	"github.com/MicahParks/keyfunc/v3"
	"github.com/golang-jwt/jwt/v5"
)

func main() {
	keys, err := keyfunc.NewDefaultCtx(context.Background(), []string{os.Getenv("BEARWARD_CONTRACT_JWKS_URL")})
	if err != nil {
		log.Fatal(err)
	}
	parser := jwt.NewParser(
		jwt.WithValidMethods([]string{"RS256"}),
		jwt.WithAudience(os.Getenv("BEARWARD_CONTRACT_AUDIENCE")),
		jwt.WithIssuer(os.Getenv("BEARWARD_CONTRACT_ISSUER")),
		jwt.WithExpirationRequired(),
	)
	http.HandleFunc("GET /protected", func(w http.ResponseWriter, r *http.Request) {
		scheme, raw, _ := strings.Cut(r.Header.Get("Authorization"), " ")
		if !strings.EqualFold(scheme, "Bearer") || raw == "" {
			w.Header().Set("WWW-Authenticate", "Bearer")
			http.Error(w, "no bearer token", http.StatusUnauthorized)
			return
		}
		claims := jwt.RegisteredClaims{}
		if _, err := parser.ParseWithClaims(raw, &claims, keys.Keyfunc); err != nil {
			w.Header().Set("WWW-Authenticate", `Bearer error="invalid_token"`)
			http.Error(w, "invalid token", http.StatusUnauthorized)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		json.NewEncoder(w).Encode(map[string]string{"user_id": claims.Subject})
	})
	log.Fatal(http.ListenAndServe("127.0.0.1:"+os.Getenv("PORT"), nil))
}
