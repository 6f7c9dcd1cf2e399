package attack_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// mostWaiting is how many cases may wait for a part of the program.
const mostWaiting = 10

// numbers are those of all cases, by the section of the list.
func numbers() map[string][]int {
	return map[string][]int{
		"3.1": {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 15, 16, 17, 18, 19, 20},
		"3.2": {21, 22, 23, 25, 26},
		"3.3": {27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40},
		"3.4": {41, 42, 43, 44, 46, 47, 48, 49, 51, 52, 53, 54, 55, 56},
		"3.5": {57, 58, 59, 61, 62, 63, 64},
		"3.6": {65, 66, 67, 68, 69, 70, 71, 73, 74, 75, 76, 77, 79, 80},
		"3.7": {81, 82, 83, 84, 85, 86, 87, 88, 89, 90, 91, 92, 93, 94},
		"3.8": {95, 96, 97, 98, 99, 100, 101, 102, 104},
	}
}

// A row is a case in the table of the package comment.
type row struct {
	section string
	number  int
	tests   []string // with the package's path if it is another one
	waits   string   // what for; empty: it does not
}

// table reads the package comment.
func table(t *testing.T) []row {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), "doc.go", nil, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	var (
		heading = regexp.MustCompile(`^# (3\.\d) `)
		first   = regexp.MustCompile(`^\t(\d{3})  (?:waits for: (.+)|(\S+) {2,}\S.*)$`)
		further = regexp.MustCompile(`^\t {5}(\S+)$`)
		rows    []row
		section string
	)
	for line := range strings.Lines(f.Doc.Text()) {
		line = strings.TrimRight(line, "\n")
		if m := heading.FindStringSubmatch(line); m != nil {
			section = m[1]
		} else if m := first.FindStringSubmatch(line); m != nil {
			n, err := strconv.Atoi(m[1])
			if err != nil {
				t.Fatal(err)
			}
			r := row{section: section, number: n, waits: m[2]}
			if r.waits == "" {
				r.tests = []string{m[3]}
			}
			rows = append(rows, r)
		} else if m := further.FindStringSubmatch(line); m != nil && len(rows) > 0 {
			last := &rows[len(rows)-1]
			last.tests = append(last.tests, m[1])
		} else if section != "" && strings.HasPrefix(line, "\t") {
			t.Errorf("the table has a line that is no row: %q", line)
		}
	}
	return rows
}

// testsIn returns the names of the tests in a directory of the module.
func testsIn(t *testing.T, dir string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("..", "..", filepath.FromSlash(dir), "*_test.go"))
	if err != nil || len(files) == 0 {
		t.Fatalf("%s has no tests: %v", dir, err)
	}
	var names []string
	for _, name := range files {
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range f.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv == nil && strings.HasPrefix(fn.Name.Name, "Test") {
				names = append(names, fn.Name.Name)
			}
		}
	}
	return names
}

// Every case of the list is in the table of the package comment, and every
// test that the table names is there. So is every test of this package in the
// table.
func TestTable(t *testing.T) {
	t.Parallel()
	const here = "broker/attack"
	if _, err := os.Stat("doc.go"); err != nil {
		t.Skip("the source is not here")
	}
	rows := table(t)
	tests := map[string][]string{here: testsIn(t, here)}
	named := map[string]int{}
	got := map[string][]int{}
	waiting := 0
	for _, r := range rows {
		got[r.section] = append(got[r.section], r.number)
		if r.waits != "" {
			waiting++
		}
		for _, name := range r.tests {
			dir := here
			if at := strings.LastIndexByte(name, '.'); at >= 0 {
				dir, name = name[:at], name[at+1:]
			}
			if tests[dir] == nil {
				tests[dir] = testsIn(t, dir)
			}
			if !slices.Contains(tests[dir], name) {
				t.Errorf("case %d: %s has no test %s", r.number, dir, name)
			}
			if dir == here {
				named[name] = r.number
			}
		}
	}
	for section, want := range numbers() {
		if !slices.Equal(got[section], want) {
			t.Errorf("section %s of the table has the cases %v, want %v", section, got[section], want)
		}
	}
	if waiting > mostWaiting {
		t.Errorf("%d cases wait, and at most %d may", waiting, mostWaiting)
	}
	number := regexp.MustCompile(`^TestCase(\d{3})[A-Z]`)
	for _, name := range tests[here] {
		m := number.FindStringSubmatch(name)
		if m == nil {
			continue // of the package itself
		}
		if n, err := strconv.Atoi(m[1]); err != nil || named[name] != n {
			t.Errorf("the table does not name %s for its number", name)
		}
	}
}
