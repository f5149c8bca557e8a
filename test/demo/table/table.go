// SPDX-License-Identifier: Apache-2.0

// Package table renders the demo's tables and keeps one in place on a terminal.
package table

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// Unknown stands for a number that could not be read.
const Unknown = "?"

// Lines renders a header and rows of as many cells as aligned columns: columns of numbers to the right, others to the left.
func Lines(header []string, rows [][]string) []string {
	widths := make([]int, len(header))
	numbers := make([]bool, len(header))
	for i, cell := range header {
		widths[i] = utf8.RuneCountInString(cell)
		numbers[i] = len(rows) > 0
	}
	for _, row := range rows {
		for i, cell := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
			numbers[i] = numbers[i] && isNumber(cell)
		}
	}
	lines := []string{line(header, widths, numbers)}
	for _, row := range rows {
		lines = append(lines, line(row, widths, numbers))
	}
	return lines
}

func line(cells []string, widths []int, numbers []bool) string {
	var b strings.Builder
	for i, cell := range cells {
		if i > 0 {
			b.WriteString("  ")
		}
		pad := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell))
		if numbers[i] {
			b.WriteString(pad + cell)
		} else {
			b.WriteString(cell + pad)
		}
	}
	return strings.TrimRight(b.String(), " ")
}

func isNumber(cell string) bool {
	return cell == Unknown || (cell != "" && strings.Trim(cell, "-0123456789 ") == "")
}

// Number writes n with a space between groups of three digits, which is read alike in every country.
func Number[N int | int64 | uint64](n N) string {
	digits := strconv.FormatInt(int64(n), 10)
	sign := ""
	if n < 0 {
		sign, digits = "-", digits[1:]
	}
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + " " + digits[i:]
	}
	return sign + digits
}
