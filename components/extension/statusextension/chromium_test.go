// SPDX-License-Identifier: Apache-2.0

package statusextension

import (
	"bytes"
	"context"
	"flag"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// screenshot is where to put a picture of the page: docs/images/status-page.png is made with it.
var (
	screenshot       = flag.String("screenshot", "", "file for a picture of the page")
	screenshotSize   = flag.String("screenshot-size", "1100,1560", "its width and height")
	screenshotScheme = flag.String("screenshot-scheme", "1", "1 light, 0 dark")
)

// chromium runs the browser on a page and returns what it writes: with --dump-dom the page as it stands after loading.
func chromium(t *testing.T, url string, args ...string) (dom, console string) {
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
	// Its helper processes end with it, also when the test is cut short.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = 5 * time.Second
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	require.NoError(t, cmd.Run(), "%s", &stderr)
	return stdout.String(), stderr.String()
}

func TestPageInABrowser(t *testing.T) {
	url := startT(t, sampled(t))
	dom, console := chromium(t, url, "--dump-dom")
	checkPage(t, dom)
	for _, complaint := range []string{"Content Security Policy", "Refused to", "CONSOLE"} {
		require.NotContains(t, console, complaint)
	}
}

func TestEmptyPageInABrowser(t *testing.T) {
	dom, _ := chromium(t, startT(t, newT(t, newClock())), "--dump-dom")
	require.Equal(t, "No lanes yet", text(parse(t, dom)("strong")[0]))
}

// The style sheet is in the page, allowed by its hash: with a wrong one the page would be there, but plain.
func TestPageIsStyledInABrowser(t *testing.T) {
	file := filepath.Join(t.TempDir(), "page.png")
	chromium(t, startT(t, sampled(t)), "--screenshot="+file, "--window-size=1200,1240", "--blink-settings=preferredColorScheme=1")
	picture, err := os.ReadFile(file)
	require.NoError(t, err)
	img, err := png.Decode(bytes.NewReader(picture))
	require.NoError(t, err)
	require.Equal(t, color.NRGBAModel.Convert(color.RGBA{0xf5, 0xf6, 0xf8, 0xff}), color.NRGBAModel.Convert(img.At(2, 2)), "background of the page")
}

func TestScreenshot(t *testing.T) {
	if *screenshot == "" {
		t.Skip("No -screenshot file.")
	}
	url := startT(t, sampledWith(t, "HTTP 503 from https://vmauth.ap-south-1.example/vm/insert/0/prometheus/api/v1/write: no healthy upstream"))
	chromium(t, url, "--screenshot="+*screenshot, "--window-size="+*screenshotSize, "--blink-settings=preferredColorScheme="+*screenshotScheme)
	picture, err := os.ReadFile(*screenshot)
	require.NoError(t, err)
	img, err := png.Decode(bytes.NewReader(picture))
	require.NoError(t, err)
	var small bytes.Buffer
	require.NoError(t, (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&small, paletted(img)))
	require.NoError(t, os.WriteFile(*screenshot, small.Bytes(), 0o644))
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
