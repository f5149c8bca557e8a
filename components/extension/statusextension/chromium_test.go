// SPDX-License-Identifier: Apache-2.0

package statusextension

import (
	"bytes"
	"flag"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/k0rdent/kof/test/browser"
)

// screenshot is where to put a picture of the page: docs/images/status-page.png is made with it.
var (
	screenshot       = flag.String("screenshot", "", "file for a picture of the page")
	screenshotSize   = flag.String("screenshot-size", "1100,1560", "its width and height")
	screenshotScheme = flag.String("screenshot-scheme", "1", "1 light, 0 dark")
)

func TestPageInABrowser(t *testing.T) {
	url := startT(t, sampled(t))
	dom, console := browser.Run(t, url, "--dump-dom")
	checkPage(t, dom)
	for _, complaint := range []string{"Content Security Policy", "Refused to", "CONSOLE"} {
		require.NotContains(t, console, complaint)
	}
}

func TestEmptyPageInABrowser(t *testing.T) {
	dom, _ := browser.Run(t, startT(t, newT(t, newClock())), "--dump-dom")
	require.Equal(t, "No lanes yet", text(parse(t, dom)("strong")[0]))
}

// The style sheet is in the page, allowed by its hash: with a wrong one the page would be there, but plain.
func TestPageIsStyledInABrowser(t *testing.T) {
	file := filepath.Join(t.TempDir(), "page.png")
	browser.Picture(t, startT(t, sampled(t)), file, "1200,1240", "--blink-settings=preferredColorScheme=1")
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
	browser.Picture(t, url, *screenshot, *screenshotSize, "--blink-settings=preferredColorScheme="+*screenshotScheme)
}
