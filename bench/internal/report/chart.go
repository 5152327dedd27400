package report

import (
	"encoding/xml"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"text/template"

	"github.com/pqlane/pqlane/bench/internal/measure"
)

// The chart's geometry, in pixels. Panels stand in two columns.
const (
	chartMargin  = 24
	chartHead    = 92
	panelWidth   = 560
	panelTitle   = 40
	panelGap     = 28
	labelWidth   = 150 // operations' names, left of the bars
	valueWidth   = 108 // figures, right of the longest bar
	barHeight    = 11
	barPitch     = 13
	opGap        = 9
	legendSwatch = 12
)

// colors of the contestants: the backends in shades of one hue, the standard
// library in grey, peers in others.
var (
	colors = map[string]string{
		"generic": "#9ecae1", "avx2": "#4292c6", "avx512": "#08519c", "avx512-wide": "#08306b",
		"neon": "#4292c6", "neon-sha3": "#08519c",
		"crypto/mlkem": "#8c8c8c", "crypto/mldsa": "#8c8c8c", "crypto/tls": "#8c8c8c",
	}
	peerColors = []string{"#e08214", "#7b6ab5", "#4d9a5b", "#c0504d"}
)

type (
	chart struct {
		Width, Height float64
		Title, Note   string
		Legend        []bar
		Panels        []panel
	}
	panel struct {
		X, Y, Base, Axis, Bottom float64
		Title                    string
		Ops                      []label
		Bars                     []bar
	}
	label struct {
		Y    float64
		Text string
	}
	bar struct {
		X, Y, Width float64
		Color, Text string
	}
)

// SVG writes a bar chart of calls a second: a panel for each group, a bar for each
// row, the longer the faster.
func (r *Report) SVG(w io.Writer) error {
	c := chart{
		Width: 2*panelWidth + panelGap + 2*chartMargin,
		Title: "Calls per second on one core (longer is better)",
		Note:  fmt.Sprintf("%s · %s · %s", r.machine(), r.Go, r.Date.Format("2006-01-02")),
	}
	palette := r.palette(&c)
	columns := [2]float64{chartHead, chartHead}
	for _, rows := range r.groups() {
		column := 0
		if columns[1] < columns[0] {
			column = 1
		}
		p := newPanel(rows, palette, chartMargin+float64(column)*(panelWidth+panelGap), columns[column])
		columns[column] = p.Bottom + panelGap
		c.Panels = append(c.Panels, p)
	}
	c.Height = max(columns[0], columns[1])
	return chartTemplate.Execute(w, c)
}

// palette gives each contestant its color and lists it in the legend.
func (r *Report) palette(c *chart) map[string]string {
	palette := make(map[string]string)
	x, peers := float64(chartMargin), 0
	for _, row := range r.Rows {
		name := who(row)
		if palette[name] != "" {
			continue
		}
		palette[name] = colors[name]
		if palette[name] == "" {
			palette[name] = peerColors[peers%len(peerColors)]
			peers++
		}
		text := name
		if row.Backend != "" {
			text = row.Impl + " " + name
		}
		c.Legend = append(c.Legend, bar{X: x, Color: palette[name], Text: text})
		x += 3.2*legendSwatch + 6.6*float64(len(text))
	}
	return palette
}

func newPanel(rows []measure.Result, palette map[string]string, x, y float64) panel {
	p := panel{X: x, Y: y, Base: x + labelWidth, Title: rows[0].Group}
	fastest := math.Inf(1)
	for _, row := range rows {
		fastest = min(fastest, typical(row))
		if row.Baseline != "" && !strings.Contains(p.Title, "×") {
			p.Title += " (× vs " + row.Baseline + ")"
		}
	}
	y += panelTitle - opGap
	p.Axis = y
	for len(rows) > 0 {
		n := slices.IndexFunc(rows, func(row measure.Result) bool { return row.Op != rows[0].Op })
		if n < 0 {
			n = len(rows)
		}
		y += opGap
		p.Ops = append(p.Ops, label{Y: y + float64(n)*barPitch/2, Text: rows[0].Op})
		for _, row := range rows[:n] {
			text := duration(typical(row))
			if ratio := typicalRatio(row); ratio != 0 && row.Impl != row.Baseline {
				text += " · " + digits(ratio) + "×"
			}
			p.Bars = append(p.Bars, bar{
				X: p.Base, Y: y, Color: palette[who(row)], Text: text,
				Width: (panelWidth - labelWidth - valueWidth) * fastest / typical(row),
			})
			y += barPitch
		}
		rows = rows[n:]
	}
	p.Bottom = y + opGap
	return p
}

// typical is the time that stands for a row: the minimum, which disturbs least, or
// the median where calls differ by their nature.
func typical(row measure.Result) float64 {
	if row.Batches == 0 {
		return row.Median
	}
	return row.Min
}

func typicalRatio(row measure.Result) float64 {
	if row.Batches == 0 {
		return row.MedianRatio
	}
	return row.Ratio
}

var chartTemplate = template.Must(template.New("chart").Funcs(template.FuncMap{
	"xml": func(s string) string {
		var b strings.Builder
		xml.EscapeText(&b, []byte(s))
		return b.String()
	},
	"add":    func(a, b float64) float64 { return a + b },
	"px":     func(x float64) string { return fmt.Sprintf("%.1f", x) },
	"height": func() float64 { return barHeight },
	"swatch": func() float64 { return legendSwatch },
}).Parse(`<?xml version="1.0" encoding="UTF-8"?>
<svg xmlns="http://www.w3.org/2000/svg" width="{{px .Width}}" height="{{px .Height}}" viewBox="0 0 {{px .Width}} {{px .Height}}" font-family="'DejaVu Sans', Verdana, Helvetica, sans-serif" font-size="11" fill="#222">
<rect width="100%" height="100%" fill="#fff"/>
<text x="24" y="34" font-size="18" font-weight="bold">{{xml .Title}}</text>
<text x="24" y="54" fill="#666">{{xml .Note}}</text>
{{- range .Legend}}
<rect x="{{px .X}}" y="66" width="{{swatch}}" height="{{swatch}}" fill="{{.Color}}"/>
<text x="{{px (add .X 17)}}" y="76">{{xml .Text}}</text>
{{- end}}
{{- range .Panels}}
<text x="{{px .X}}" y="{{px (add .Y 24)}}" font-size="13" font-weight="bold">{{xml .Title}}</text>
<path d="M{{px .Base}} {{px .Axis}}V{{px .Bottom}}" stroke="#bbb"/>
{{- $edge := add .Base -8}}
{{- range .Ops}}
<text x="{{px $edge}}" y="{{px (add .Y 3)}}" text-anchor="end">{{xml .Text}}</text>
{{- end}}
{{- range .Bars}}
<rect x="{{px .X}}" y="{{px .Y}}" width="{{px .Width}}" height="{{height}}" fill="{{.Color}}"/>
<text x="{{px (add (add .X .Width) 5)}}" y="{{px (add .Y 9)}}" font-size="9.5" fill="#555">{{xml .Text}}</text>
{{- end}}
{{- end}}
</svg>
`))
