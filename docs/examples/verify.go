package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// How old a delivery may be, or ahead of this machine's clock.
const tolerance = 300 * time.Second

func digest(key []byte, parts ...[]byte) []byte {
	mac := hmac.New(sha256.New, key)
	for _, part := range parts {
		mac.Write(part)
	}
	return mac.Sum(nil)
}

// VerifyStandard checks a delivery signed the Standard Webhooks way. body holds the raw bytes.
func VerifyStandard(secret string, headers http.Header, body []byte, now time.Time) bool {
	id, timestamp := headers.Get("webhook-id"), headers.Get("webhook-timestamp")
	seconds, err := strconv.ParseInt(timestamp, 10, 64)
	if id == "" || err != nil || len(timestamp) > 12 {
		return false
	}
	if age := now.Sub(time.Unix(seconds, 0)); age > tolerance || age < -tolerance {
		return false
	}
	key := []byte(secret)
	if strings.HasPrefix(secret, "whsec_") {
		encoded := strings.TrimRight(strings.TrimPrefix(secret, "whsec_"), "=")
		if key, err = base64.RawStdEncoding.DecodeString(encoded); err != nil {
			return false
		}
	}
	if len(key) == 0 {
		return false // anybody can sign with an empty secret, such as an unset variable is read
	}
	signature := digest(key, []byte(id+"."+timestamp+"."), body)
	right := []byte("v1," + base64.StdEncoding.EncodeToString(signature))
	for _, given := range strings.Split(headers.Get("webhook-signature"), " ") {
		if hmac.Equal([]byte(given), right) {
			return true
		}
	}
	return false
}

// VerifyXHub checks a delivery signed the X-Hub way; header is the value of X-Hub-Signature-256.
func VerifyXHub(secret string, header string, body []byte) bool {
	if secret == "" {
		return false
	}
	right := "sha256=" + hex.EncodeToString(digest([]byte(secret), body))
	return hmac.Equal([]byte(header), []byte(right))
}
