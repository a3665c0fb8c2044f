package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"backroom/shared/ops/remedy"
)

// relayAgain is `make relay-again SINCE=…`: what the rows told since then is sent again. With DRY=1 it only counts.
func relayAgain(ctx context.Context, d desk, args []string) error {
	since, err := moment(strings.Join(args, ""), time.Now())
	if err != nil {
		return err
	}
	rate, err := count("RATE", 500)
	if err != nil {
		return err
	}
	site, err := d.site(ctx)
	if err != nil {
		return err
	}
	did := "sent again"
	if onlyLook() {
		did = "would be sent again"
	}
	d.Linef("what was told since %s:", since.UTC().Format(time.RFC3339))
	told, err := site.RelayAgain(ctx, since, rate, onlyLook())
	for _, t := range told {
		d.Linef("%s: %d rows read", t.Table, t.Rows)
		for _, fact := range slices.Sorted(maps.Keys(t.Facts)) {
			d.Linef("  %6d × %s %s", t.Facts[fact], fact, did)
		}
		for _, what := range slices.Sorted(maps.Keys(t.Untold)) {
			rows := t.Untold[what]
			d.Linef("  %s", d.Bad(fmt.Sprintf("%6d × not sent, %s (%s)", len(rows), what, some(rows))))
		}
	}
	return remedy.For(err, "the same again: what was sent already changes nothing")
}

// some names the first few of many.
func some(rows []string) string {
	const few = 3
	if len(rows) <= few {
		return strings.Join(rows, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(rows[:few], ", "), len(rows)-few)
}

// layouts are how a moment can be given. One without a zone is local.
var layouts = []string{time.RFC3339, "2006-01-02T15:04Z07:00", "2006-01-02T15:04", time.DateOnly}

// moment reads when something was: a time, or how long ago.
func moment(given string, now time.Time) (time.Time, error) {
	if ago, err := time.ParseDuration(given); err == nil && ago > 0 {
		return now.Add(-ago), nil
	}
	for _, layout := range layouts {
		if at, err := time.ParseInLocation(layout, given, time.Local); err == nil && at.Before(now) {
			return at, nil
		}
	}
	why := fmt.Errorf("SINCE=%q is no time that has passed", given)
	if given == "" {
		why = errors.New("since when?")
	}
	return time.Time{}, remedy.For(why, "make relay-again SINCE=26h, or SINCE="+now.Add(-26*time.Hour).UTC().Format("2006-01-02T15:04Z07:00")+"; rather too early than too late")
}
