package cli

import (
	"context"
	"maps"
	"slices"
	"strconv"

	"aivault/ui/app"
	"aivault/vault"
)

// salvage makes a new vault of what verifies of a damaged one. That something
// was lost is what was to be found out, and no failure.
func (sh *shell) salvage(ctx context.Context, be app.Backend, dir string) error {
	s, err := be.Salvage(ctx, dir)
	if err != nil {
		return err
	}
	if sh.out.json {
		return sh.printSalvagedJSON(s)
	}
	sh.out.printf("%s holds a new vault of what could be read", s.Dir)
	rows := [][]cell{cells("  audit log", count(int(s.Events), "event")+" kept, "+strconv.FormatUint(s.LostEvents, 10)+" lost")}
	for _, what := range slices.Sorted(maps.Keys(s.Kept)) {
		rows = append(rows, cells("  "+what, strconv.Itoa(s.Kept[what])+" kept"))
	}
	sh.out.table(rows)
	if len(s.Lost) == 0 {
		sh.out.printf("nothing else is known to be lost")
		return nil
	}
	sh.out.printf("lost:")
	rows = rows[:0]
	for _, lost := range s.Lost {
		name := lost.Name
		if name == "" {
			name = lost.ID
		}
		rows = append(rows, cells("  "+lost.Kind, name, lost.Reason))
	}
	sh.out.table(rows)
	return nil
}

func (sh *shell) printSalvagedJSON(s vault.Salvaged) error {
	type lost struct {
		Kind   string `json:"kind"`
		ID     string `json:"id,omitempty"`
		Name   string `json:"name,omitempty"`
		Reason string `json:"reason"`
	}
	return sh.out.printJSON(struct {
		Dir        string         `json:"dir"`
		Kept       map[string]int `json:"kept"`
		Events     uint64         `json:"events"`
		LostEvents uint64         `json:"lostEvents"`
		Lost       []lost         `json:"lost"`
	}{s.Dir, s.Kept, s.Events, s.LostEvents, mapTo(s.Lost, func(l vault.Lost) lost { return lost(l) })})
}
