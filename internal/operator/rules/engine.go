// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/rulefmt"
)

// check reads a file as the alerting engine will. vmalert refuses a whole reload, and doesn't start, for one file that it can't use, so
// what Prometheus takes and vmalert doesn't is refused here.
func check(f *file) error {
	text, err := write(f)
	if err != nil {
		return err
	}
	_, errs := rulefmt.Parse([]byte(text), false, model.UTF8Validation)
	for _, g := range f.Groups {
		if g.QueryOffset != "" {
			errs = append(errs, fmt.Errorf("group %q: found query_offset; allowed: offset in the expressions, as vmalert doesn't know it", g.Name))
		}
		if g.Limit < 0 {
			errs = append(errs, fmt.Errorf("group %q: limit: found %d; allowed: 0 (no limit) or more", g.Name, g.Limit))
		}
		for _, r := range g.Rules {
			for _, texts := range []map[string]string{r.Labels, r.Annotations} {
				for _, key := range slices.Sorted(maps.Keys(texts)) {
					if name := unknownFunction(texts[key]); name != "" {
						errs = append(errs, fmt.Errorf("group %q: rule %q: %s: found the template function %s; allowed: those that vmalert has, too", g.Name, r.name(), key, name))
					}
				}
			}
		}
	}
	return errors.Join(errs...)
}

var (
	action   = regexp.MustCompile(`(?s)\{\{.*?\}\}`)
	literal  = regexp.MustCompile("\"(?:[^\"\\\\]|\\\\.)*\"|`[^`]*`")
	function = regexp.MustCompile(`(?:^|[^\w.$])(graphLink|tableLink|toDuration|urlQueryEscape|tmpl)\b`)
)

// unknownFunction returns the first function of Prometheus' templates that vmalert's lack (as of v1.150.0), or "".
func unknownFunction(text string) string {
	for _, a := range action.FindAllString(text, -1) {
		if m := function.FindStringSubmatch(literal.ReplaceAllString(strings.Trim(a, "{}"), `""`)); m != nil {
			return m[1]
		}
	}
	return ""
}
