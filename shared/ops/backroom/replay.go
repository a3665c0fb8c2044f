package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"backroom/shared/ops"
	"backroom/shared/ops/remedy"
)

// replay is the verb replay.
func (c *console) replay() *cobra.Command {
	verb := &cobra.Command{
		Use:   "replay --since TIME",
		Short: "Send lost facts again",
		Long: "replay reads the tables of orders, reservations and charges, and sends all facts again that were\n" +
			"recorded since a time. It asks first. The facts keep their original ids, so a step that has handled\n" +
			"one changes nothing.",
		Example: "  backroom replay --since 26h --dry-run --stack backroom-prod\n" +
			"  backroom replay --since 2026-11-21T10:00Z --rate 100 --stack backroom-prod",
		Args: cobra.NoArgs,
	}
	since := verb.Flags().String("since", "",
		"`time` or age, as in 2026-11-21T10:00Z or 26h; a time without a zone is local")
	rate := verb.Flags().Int("rate", 500, "`number` of rows to read in a second, at most")
	dryRun := verb.Flags().Bool("dry-run", false, "count the facts and send none")
	sure := yes(verb)
	verb.RunE = c.begin(func(ctx context.Context, _ []string) error {
		from, err := moment(*since, c.now())
		if err != nil {
			return err
		}
		if err := atLeast(1, "rate", *rate); err != nil {
			return err
		}
		site, err := c.site(ctx, !*dryRun)
		if err != nil {
			return err
		}
		when, did := from.UTC().Format(time.RFC3339), "would be sent again"
		if !*dryRun {
			if err := c.agree(ctx, *sure, site.Stack, "all facts since "+when+" will be sent again"); err != nil {
				return err
			}
			did = "sent again"
		}
		c.Linef("facts since %s:", when)
		replayed, err := site.Replay(ctx, from, *rate, *dryRun)
		for _, t := range replayed {
			c.Linef("%s: %d rows read", t.Table, t.Rows)
			for _, fact := range slices.Sorted(maps.Keys(t.Facts)) {
				c.Linef("  %6d × %s %s", t.Facts[fact], fact, did)
			}
			for _, what := range slices.Sorted(maps.Keys(t.Unrecoverable)) {
				rows := t.Unrecoverable[what]
				c.Linef("  %s", c.Bad(fmt.Sprintf("%6d × not sent, %s (%s)", len(rows), what, some(rows))))
			}
		}
		if err != nil {
			return remedy.For(err, "run it again: facts that were sent already change nothing")
		}
		if !slices.ContainsFunc(replayed, func(t ops.Replayed) bool { return len(t.Facts)+len(t.Unrecoverable) > 0 }) {
			return remedy.For(fmt.Errorf("no fact was recorded since %s", when),
				"choose a time before the loss, with --since; --stack names another stack")
		}
		return nil
	})
	return verb
}

// some returns the first few rows, and how many more there are.
func some(rows []string) string {
	const few = 3
	if len(rows) <= few {
		return strings.Join(rows, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(rows[:few], ", "), len(rows)-few)
}

// layouts are the accepted formats of a time. One without a zone is local.
var layouts = []string{time.RFC3339, "2006-01-02T15:04Z07:00", "2006-01-02T15:04", time.DateOnly}

// moment parses a time, or an age. A time that has not passed is a misuse.
func moment(given string, now time.Time) (time.Time, error) {
	if ago, err := time.ParseDuration(given); err == nil && ago > 0 {
		return now.Add(-ago), nil
	}
	for _, layout := range layouts {
		if at, err := time.ParseInLocation(layout, given, time.Local); err == nil && at.Before(now) {
			return at, nil
		}
	}
	why := fmt.Errorf("--since %q is not a time that has passed", given)
	if given == "" {
		why = errors.New("--since is missing")
	}
	example := now.Add(-26 * time.Hour).UTC().Format("2006-01-02T15:04Z07:00")
	return time.Time{}, misuse{remedy.For(why, "--since 26h, or --since "+example+"; choose a time before the loss")}
}
