package sandbox

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestCards_AreOnTheirPage compares docs/test-cards.md with the table of cards, both ways.
func TestCards_AreOnTheirPage(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../docs/test-cards.md")
	require.NoError(t, err)
	listed := map[string]bool{}
	for _, row := range regexp.MustCompile("(?m)^\\| `(pm_[A-Za-z0-9_]+)` \\|").FindAllStringSubmatch(string(page), -1) {
		listed[row[1]] = true
		_, known := CardOf(row[1])
		assert.True(t, known, row[1])
		if name, ok := strings.CutPrefix(row[1], "pm_card_"); ok && name != "visa" {
			assert.Contains(t, cards, name, "a card that behaves like any other")
		}
	}
	for name := range cards {
		assert.True(t, listed["pm_card_"+name], "docs/test-cards.md lacks pm_card_%s", name)
	}
	for _, kind := range []string{"slow_", "processing_", "once_", "lost"} {
		assert.Contains(t, string(page), "`pm_sandbox_"+kind)
	}
}
