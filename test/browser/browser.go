// SPDX-License-Identifier: Apache-2.0

// Package browser opens pages in a real browser: Debian's chromium, without a screen. Tests are skipped where there is none.
package browser

import (
	"bytes"
	"context"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"maps"
	"os"
	"os/exec"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Run opens a page, with more arguments for the browser, and returns what that writes: with --dump-dom the page as it stands after loading.
func Run(t testing.TB, url string, args ...string) (dom, console string) {
	t.Helper()
	path, err := exec.LookPath("chromium")
	if err != nil {
		t.Skip("No chromium in PATH, so the page is not tried in a browser. Debian has it in the package chromium.")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	profile := t.TempDir()
	args = append([]string{
		"--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-quic", "--no-first-run",
		"--disable-component-update", "--disable-sync", "--disable-dev-shm-usage", "--hide-scrollbars", "--enable-logging=stderr",
		"--user-data-dir=" + profile,
	}, args...)
	cmd := exec.CommandContext(ctx, path, append(args, url)...)
	cmd.Env = append(os.Environ(), "HOME="+profile)
	endTogether(cmd)
	cmd.WaitDelay = 5 * time.Second
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	require.NoError(t, cmd.Run(), "%s", &stderr)
	return stdout.String(), stderr.String()
}

// Picture writes a picture of a page as a small PNG file. size is "width,height".
func Picture(t testing.TB, url, file, size string, args ...string) {
	t.Helper()
	Run(t, url, append([]string{"--screenshot=" + file, "--window-size=" + size}, args...)...)
	picture, err := os.ReadFile(file)
	require.NoError(t, err)
	img, err := png.Decode(bytes.NewReader(picture))
	require.NoError(t, err)
	var small bytes.Buffer
	require.NoError(t, (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&small, paletted(img)))
	require.NoError(t, os.WriteFile(file, small.Bytes(), 0o644))
}

// paletted has the 256 most frequent colours of img: all but some shades at the edges of letters, in a third of the bytes.
func paletted(img image.Image) image.Image {
	pixels := map[color.Color]int{}
	for y := range img.Bounds().Dy() {
		for x := range img.Bounds().Dx() {
			pixels[img.At(x, y)]++
		}
	}
	colours := slices.SortedFunc(maps.Keys(pixels), func(a, b color.Color) int { return pixels[b] - pixels[a] })
	out := image.NewPaletted(img.Bounds(), colours[:min(256, len(colours))])
	draw.Draw(out, out.Bounds(), img, image.Point{}, draw.Src)
	return out
}
