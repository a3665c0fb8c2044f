package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestMailPage_KeepsEachMailInItsFrame(t *testing.T) {
	file := filepath.Join(t.TempDir(), "mail", "index.html")
	require.NoError(t, writePage(file, []mail{{
		To: "<b>ada@example.com", Subject: `"><script>`, Text: "</pre><script>",
		HTML: `<p>Größe</p>"><script>alert(1)</script>`,
	}}))
	page, err := os.ReadFile(file)
	require.NoError(t, err)
	assert.NotContains(t, string(page), "<script")
	assert.NotContains(t, string(page), "<b>ada")
	assert.Contains(t, string(page), `srcdoc="&lt;p&gt;Größe&lt;/p&gt;`)
	assert.Contains(t, string(page), "<iframe sandbox ", "nothing in it runs")
}
