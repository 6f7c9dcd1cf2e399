package ui_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"aivault/broker/brokertest"
	"aivault/broker/brokertest/upstream"
)

// cmdUpstream starts the service that scripts call. It is $HOST, its authority
// $CA; with `upstream everywhere` it is whatever host is called. It answers a
// request with its method, path and body, and the name of the canary that it
// was sent; under some paths it misbehaves. The client "robot" may show the
// certificate $CANARIES/client.pem.
func cmdUpstream(ts *testscript.TestScript, neg bool, args []string) {
	st := state(ts)
	names := []string{"localhost"}
	if len(args) > 1 && args[0] == "everywhere" {
		names = args[1:]
	} else if neg || len(args) > 0 {
		ts.Fatalf("usage: upstream [everywhere HOST...]")
	}
	clients, cert, key, err := upstream.ClientCertificate("robot")
	ts.Check(err)
	_, body, _ := strings.Cut(string(key), "\n")
	st.secrets = append(st.secrets, strings.Split(body, "\n")[0])
	ts.Check(os.WriteFile(filepath.Join(ts.Getenv("CANARIES"), "client.pem"), append(cert, key...), 0o600))
	st.upstream = brokertest.NewWith(st.t, upstream.Options{Names: names, ClientCA: clients})
	st.upstream.Handle(func(w http.ResponseWriter, r *http.Request) { st.answer(w, r) })
	ca := ts.MkAbs("ca.pem")
	ts.Check(os.WriteFile(ca, st.upstream.CAPEM(), 0o600))
	ts.Setenv("CA", ca)
	ts.Setenv("HOST", fmt.Sprintf("localhost:%d", st.upstream.Port()))
	if len(args) > 0 {
		ts.Setenv(varUpstream, st.upstream.Addr())
		ts.Setenv(varRoots, ca)
	}
}

// answer answers a request as the end of its path says.
func (st *scriptState) answer(w http.ResponseWriter, r *http.Request) {
	auth := r.Header.Get("Authorization") + r.URL.Query().Get("api_key")
	used := st.usedBy(r, auth)
	body, _ := io.ReadAll(r.Body)
	r.Body = io.NopCloser(bytes.NewReader(body))
	parts := strings.Split(r.URL.Path, "/")
	last, before := parts[len(parts)-1], parts[max(0, len(parts)-2)]
	number, _ := strconv.Atoi(last)
	status := http.StatusOK
	switch {
	case last == "missing":
		status = http.StatusNotFound
	case last == "fresh" && used != "RENEWED":
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = io.WriteString(w, "rejected")
		return
	case before == "status":
		status = number
	case last == "empty":
		w.WriteHeader(http.StatusNoContent)
		return
	case before == "size":
		_, _ = io.WriteString(w, strings.Repeat("x", number))
		return
	case st.answerOddly(w, r, last, auth):
		return
	}
	w.Header().Set("Content-Type", "application/json")
	out := io.Writer(w)
	if last == "gzip" {
		w.Header().Set("Content-Encoding", "gzip")
		z := gzip.NewWriter(w)
		defer func() { _ = z.Close() }()
		out = z
	}
	w.WriteHeader(status)
	_, _ = fmt.Fprintf(out, "{\"used\":%q,\"method\":%q,\"path\":%q,\"type\":%q,\"body\":%q}\n",
		used, r.Method, r.URL.RequestURI(), r.Header.Get("Content-Type"), body)
}

// usedBy returns the names of the canaries that a request was sent.
func (st *scriptState) usedBy(r *http.Request, auth string) string {
	_, password, _ := r.BasicAuth()
	all := auth + " " + r.URL.RequestURI()
	for _, values := range r.Header {
		all += " " + strings.Join(values, " ")
	}
	var used []string
	received := st.upstream.Requests()
	for _, cert := range received[len(received)-1].PeerCertificates {
		used = append(used, "client "+cert.Subject.CommonName)
	}
	for secret, name := range st.labels {
		if strings.Contains(all, secret) || password == secret {
			used = append(used, name)
		}
	}
	if used == nil {
		return "none"
	}
	slices.Sort(used)
	return strings.Join(used, ",")
}

// answerOddly answers under the names of what is no plain JSON.
func (st *scriptState) answerOddly(w http.ResponseWriter, r *http.Request, name, auth string) bool {
	switch name {
	case "text":
		w.Header().Set("Content-Type", "text/plain")
		_, _ = io.WriteString(w, "no JSON\n")
	case "binary":
		_, _ = w.Write([]byte{0xff, 0x1b, '[', '3', '1', 'm', 0})
	case "echo":
		_, _ = fmt.Fprintf(w, "{\"auth\":%q}\n", auth)
	case "people":
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"people":[{"name":"Ada","email":"ada@example.com"}],"email":null}`+"\n")
	case "events", "cut":
		st.events(w, auth, name == "cut")
	case "form":
		form(w, r)
	case "redirect":
		http.Redirect(w, r, strings.TrimSuffix(r.URL.Path, "redirect")+"7", http.StatusFound)
	case "away":
		http.Redirect(w, r, "https://elsewhere.example/", http.StatusFound)
	case "token":
		st.token(w, r)
	default:
		return false
	}
	return true
}

// events answers with three server-sent events, a moment apart, each in two
// pieces, with the key among them; or breaks off in the second.
func (st *scriptState) events(w http.ResponseWriter, auth string, cut bool) {
	w.Header().Set("Content-Type", "text/event-stream")
	send := func(s string) {
		_, _ = io.WriteString(w, s)
		_ = http.NewResponseController(w).Flush()
		time.Sleep(10 * time.Millisecond)
	}
	for i := range 3 {
		event := fmt.Sprintf("data: {\"n\":%d,\"email\":\"ada@example.com\",\"auth\":%q}\n\n", i, auth)
		send(event[:len(event)/2])
		if cut && i == 1 {
			panic(http.ErrAbortHandler)
		}
		send(event[len(event)/2:])
	}
	send("data: [DONE]\n\n")
}

// form answers with a line for each part of a multipart body.
func form(w http.ResponseWriter, r *http.Request) {
	parts, err := r.MultipartReader()
	if err != nil {
		http.Error(w, "no multipart body", http.StatusBadRequest)
		return
	}
	for {
		p, err := parts.NextRawPart()
		if err != nil {
			return
		}
		data, _ := io.ReadAll(p)
		_, _ = fmt.Fprintf(w, "%s file=%q type=%q %q\n", p.FormName(), p.FileName(), p.Header.Get("Content-Type"), data)
	}
}

// token is an OAuth token endpoint. For a code it gives the canaries ACCESS and
// REFRESH, for REFRESH the canary RENEWED; it refuses everything else.
func (st *scriptState) token(w http.ResponseWriter, r *http.Request) {
	secret := func(name string) string {
		for s, n := range st.labels {
			if n == name {
				return s
			}
		}
		return ""
	}
	w.Header().Set("Content-Type", "application/json")
	_ = r.ParseForm()
	switch r.PostForm.Get("grant_type") + " " + r.PostForm.Get("code") + r.PostForm.Get("refresh_token") {
	case "authorization_code made-up-code":
		_, _ = fmt.Fprintf(w, `{"access_token":%q,"refresh_token":%q,"token_type":"Bearer","expires_in":3600}`, secret("ACCESS"), secret("REFRESH"))
	case "refresh_token " + secret("REFRESH"), "client_credentials ":
		_, _ = fmt.Fprintf(w, `{"access_token":%q,"token_type":"Bearer","expires_in":3600}`, secret("RENEWED"))
	default:
		w.WriteHeader(http.StatusBadRequest)
		_, _ = io.WriteString(w, `{"error":"invalid_grant"}`)
	}
}

// consent is the browser of the scripts: it follows the address of an
// authorization request to where its owner's consent leads, as TEST_CONSENT
// says: given, denied, or forged by somebody else.
func consent(args []string) int {
	if len(args) != 1 {
		return 2
	}
	asked, err := url.Parse(args[0])
	if err != nil {
		return 2
	}
	q := asked.Query()
	back := url.Values{"state": {q.Get("state")}, "code": {"made-up-code"}}
	if os.Getenv("AIVAULT_DIR") != "" { // not the business of a browser
		return 1
	}
	switch os.Getenv("TEST_CONSENT") {
	case "denied":
		back = url.Values{"state": {q.Get("state")}, "error": {"access_denied"}}
	case "forged":
		back.Set("state", "of-somebody-else")
	}
	resp, err := http.Get(q.Get("redirect_uri") + "?" + back.Encode())
	if err != nil {
		return 1
	}
	_ = resp.Body.Close()
	return 0
}

// cmdReceived checks how many requests the upstream got: `received 3`.
func cmdReceived(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: received N")
	}
	if got := strconv.Itoa(len(state(ts).upstream.Requests())); got != args[0] {
		ts.Fatalf("the upstream received %s requests, want %s", got, args[0])
	}
}
