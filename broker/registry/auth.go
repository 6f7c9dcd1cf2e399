package registry

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// oneSecret is the placeholder of a secret that is no part of a template.
const oneSecret = "secret"

// validate refuses Params that the kind does not take, and placeholders
// without a secret or secrets without a placeholder. The hosts are the
// provider's.
func (a Auth) validate(placeholders, hosts []string) error {
	for _, param := range a.Params {
		noPassword := a.Kind == "basic" && param.Name == "password" && param.Value == ""
		if !isText(param.Value) && !noPassword || !isName(param.Name, upper+lower+digits+"-_") {
			return fmt.Errorf("the parameter %q is malformed", param.Name)
		}
	}
	switch a.Kind {
	case "header", "query":
		if len(a.Params) != 1 {
			return fmt.Errorf("%s takes one parameter", a.Kind)
		}
	case "path":
		if !slices.Equal(a.names(), []string{"prefix"}) || !strings.HasPrefix(a.Params[0].Value, "/") {
			return errors.New("path takes one parameter, prefix, which begins with a slash")
		}
	case "multi-header", "multi-query":
		if err := a.validateMulti(); err != nil {
			return err
		}
	case "basic":
		if len(a.Params) > 0 && !slices.Equal(a.names(), []string{"username", "password"}) {
			return errors.New("basic takes username and password, or none for one secret that holds both")
		}
	case "oauth2", "aws-sigv4", "hmac", "mtls":
		if err := a.validateOther(hosts); err != nil {
			return fmt.Errorf("%s: %w", a.Kind, err)
		}
		return checkOne(placeholders)
	default:
		return fmt.Errorf("the kind %q of authentication is unknown", a.Kind)
	}
	if len(a.Params) == 0 {
		return checkOne(placeholders)
	}
	return a.validateTemplates(placeholders)
}

// names lists the parameters in their order.
func (a Auth) names() []string {
	var names []string
	for _, param := range a.Params {
		names = append(names, param.Name)
	}
	return names
}

// checkOne refuses more than the one secret of a kind without templates.
func checkOne(placeholders []string) error {
	if !slices.Equal(placeholders, []string{oneSecret}) {
		return fmt.Errorf("it takes one secret, whose placeholder is %s", oneSecret)
	}
	return nil
}

// validateTemplates refuses templates and secrets that do not go together.
func (a Auth) validateTemplates(placeholders []string) error {
	used := map[string]bool{}
	for _, param := range a.Params {
		if err := readTemplate(param.Value, used); err != nil {
			return err
		}
	}
	if a.byField(placeholders, used) {
		return nil
	}
	for _, placeholder := range placeholders {
		if !used[placeholder] {
			return fmt.Errorf("no template uses {{%s}}", placeholder)
		}
		delete(used, placeholder)
	}
	for placeholder := range used {
		return fmt.Errorf("no secret is {{%s}}", placeholder)
	}
	return nil
}

// byField reports whether the placeholders are fields of one secret in JSON.
func (a Auth) byField(placeholders []string, used map[string]bool) bool {
	return strings.HasPrefix(a.Kind, "multi-") && slices.Equal(placeholders, []string{oneSecret}) && len(used) > 0 && !used[oneSecret]
}

// validateMulti refuses names that a server could take for each other: headers
// differ by more than case, and behind CGI by more than dashes.
func (a Auth) validateMulti() error {
	if len(a.Params) == 0 {
		return fmt.Errorf("%s takes a parameter or more", a.Kind)
	}
	var names []string
	for _, name := range a.names() {
		names = append(names, strings.ReplaceAll(strings.ToLower(name), "_", "-"))
	}
	if repeated(names) {
		return fmt.Errorf("%s has a parameter twice", a.Kind)
	}
	return nil
}

// validateOther checks the Params of the kinds without templates of secrets.
func (a Auth) validateOther(hosts []string) error {
	values := map[string]string{}
	for _, param := range a.Params {
		if _, twice := values[param.Name]; twice && param.Name != "scope" {
			return fmt.Errorf("it has %s twice", param.Name)
		}
		values[param.Name] = param.Value
	}
	var needs, optional []string
	switch a.Kind {
	case "oauth2":
		needs, optional = []string{"grant_type", "token_endpoint"}, []string{"scope", "client_auth"}
	case "aws-sigv4":
		needs = []string{"service", "region"}
	case "hmac":
		needs = []string{"algorithm", "header_name", "value_template"}
	}
	for _, name := range needs {
		if values[name] == "" {
			return fmt.Errorf("it lacks %s", name)
		}
	}
	for name, value := range values {
		if !slices.Contains(needs, name) && !slices.Contains(optional, name) {
			return fmt.Errorf("it takes no %s", name)
		}
		if !a.isValue(name, value, hosts) {
			return fmt.Errorf("its %s is malformed", name)
		}
	}
	return nil
}

// isValue reports whether a parameter of a kind without templates may have
// that value.
func (a Auth) isValue(name, value string, hosts []string) bool {
	switch name {
	case "grant_type":
		return value == "refresh_token" || value == "client_credentials"
	case "token_endpoint":
		rest, ok := strings.CutPrefix(value, "https://")
		host, path, _ := strings.Cut(rest, "/")
		// The secret goes there, and it goes to the provider's hosts only.
		return ok && slices.Contains(hosts, host) && isPath("/"+path)
	case "scope":
		return a.areScopes()
	case "client_auth":
		return value == "basic" || value == "body"
	case "service", "region":
		return isName(value, lower+digits+"-")
	case "algorithm":
		return value == "sha256" || value == "sha512"
	case "header_name":
		return isName(value, upper+lower+digits+"-")
	}
	return isSignatureTemplate(value)
}

// areScopes reports whether each scope is one word, and there once.
func (a Auth) areScopes() bool {
	var scopes []string
	for _, param := range a.Params {
		if param.Name != "scope" {
			continue
		}
		if strings.ContainsAny(param.Value, ` "\`) || slices.Contains(scopes, param.Value) {
			return false
		}
		scopes = append(scopes, param.Value)
	}
	return true
}

// isSignatureTemplate reports whether a template has the signature once, and
// besides it no more than the time.
func isSignatureTemplate(template string) bool {
	used := map[string]bool{}
	err := readTemplate(template, used)
	delete(used, "signature")
	delete(used, "timestamp")
	return err == nil && len(used) == 0 && strings.Count(template, "{{signature}}") == 1
}

// readTemplate adds the placeholders of a template to used.
func readTemplate(template string, used map[string]bool) error {
	for rest := template; ; {
		before, after, open := strings.Cut(rest, "{{")
		if strings.Contains(before, "}}") {
			return errors.New("a template closes a placeholder that it did not open")
		}
		if !open {
			return nil
		}
		placeholder, tail, closed := strings.Cut(after, "}}")
		if !closed || !isName(placeholder, lower+"_") {
			return errors.New("a template has a malformed placeholder")
		}
		used[placeholder] = true
		rest = tail
	}
}
