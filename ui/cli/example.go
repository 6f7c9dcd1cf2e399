package cli

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"aivault/broker"
)

// examples are commands that the capability allows.
func examples(d *broker.Description) []exampleJSON {
	method, path := d.Suggestion()
	command, hasBody := "aivault invoke "+d.ID, d.ExampleBody != "" || len(d.ExampleParts) > 0
	flags := ""
	if path != d.Path {
		flags = " --path " + quoted(path)
	}
	first := flags
	if usual := withoutMethod(d, hasBody); d.Method == "" && method != usual && (usual == "" || d.Example != "") {
		first = " --method " + method + first
	}
	if hasBody {
		list := []exampleJSON{{"minimal", command + first + bodyFlags(d)}}
		if len(d.ExampleParts) > 0 {
			return list
		}
		return append(list, exampleJSON{"with the whole request as JSON", command + requestFlag(d, method, path)})
	}
	list := []exampleJSON{{"minimal", command + first}}
	// What the registry has an example of takes other bodies, or none there.
	if d.Example == "" && slices.Contains(d.Allow.Methods, "POST") {
		list = append(list, exampleJSON{"with a JSON body", command + flags + ` --body '{"key":"value"}'`})
	}
	return append(list, exampleJSON{"with the whole request as JSON", command + requestFlag(d, method, path)})
}

// withoutMethod is what a call is that names no method, see [policy.Choose];
// empty where that leaves a choice.
func withoutMethod(d *broker.Description, hasBody bool) string {
	usual := "GET"
	if hasBody {
		usual = "POST"
	}
	if !slices.Contains(d.Allow.Methods, usual) {
		return ""
	}
	return usual
}

// formType has to be said with the fields of a form: only JSON gets its type
// from the broker.
const formType = "application/x-www-form-urlencoded"

// bodyFlags gives the body of the example.
func bodyFlags(d *broker.Description) string {
	var flags strings.Builder
	for _, part := range d.ExampleParts {
		name, value, _ := strings.Cut(part, "=")
		if file, ok := strings.CutPrefix(value, "@"); ok {
			fmt.Fprintf(&flags, " --multipart-file %s", quoted(name+"="+file))
		} else {
			fmt.Fprintf(&flags, " --multipart-field %s", quoted(part))
		}
	}
	if d.ExampleBody == "" {
		return flags.String()
	}
	if !json.Valid([]byte(d.ExampleBody)) {
		flags.WriteString(" --header 'Content-Type: " + formType + "'")
	}
	return flags.String() + " --body " + quoted(d.ExampleBody)
}

// requestFlag gives the example as an envelope.
func requestFlag(d *broker.Description, method, path string) string {
	request := struct {
		Method  string       `json:"method"`
		Path    string       `json:"path"`
		Headers []headerJSON `json:"headers,omitempty"`
		Body    string       `json:"body,omitempty"`
	}{Method: method, Path: path, Body: d.ExampleBody}
	if d.ExampleBody != "" && !json.Valid([]byte(d.ExampleBody)) {
		request.Headers = []headerJSON{{"Content-Type", formType}}
	}
	var text strings.Builder
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(request); err != nil {
		return ""
	}
	return " --request " + quoted(strings.TrimSpace(text.String()))
}

// quoted is a word as a shell takes it.
func quoted(word string) string {
	if strings.ContainsAny(word, " ?&*;()$'\"~[]{}<>|#`\\") {
		return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
	}
	return word
}
