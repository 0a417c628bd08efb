package main

import (
	"encoding/json"
	"net/http"
	"os"
	"time"
)

type verdictCase struct {
	Kind, Secret string
	Headers      map[string]string
	Body         []byte
	Now          int64
}

func main() {
	var cases []verdictCase
	if err := json.NewDecoder(os.Stdin).Decode(&cases); err != nil {
		panic(err)
	}
	answers := []bool{}
	for _, one := range cases {
		headers := http.Header{}
		for name, value := range one.Headers {
			headers.Set(name, value)
		}
		if one.Kind == "x-hub" {
			answers = append(answers, VerifyXHub(one.Secret, headers.Get("X-Hub-Signature-256"), one.Body))
		} else {
			answers = append(answers, VerifyStandard(one.Secret, headers, one.Body, time.Unix(one.Now, 0)))
		}
	}
	if err := json.NewEncoder(os.Stdout).Encode(answers); err != nil {
		panic(err)
	}
}
