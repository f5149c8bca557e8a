// SPDX-License-Identifier: Apache-2.0

// Command kof-operator runs on the management cluster and decides which region each cluster's telemetry goes to. See docs/operator.md.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/go-logr/logr"
	"k8s.io/klog/v2"
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/k0rdent/kof/internal/operator/controller"
	"github.com/k0rdent/kof/internal/version"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "kof-operator:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	o, s := controller.Default(), controller.Serving{}
	var namespaces string
	var showVersion bool
	f := flag.NewFlagSet("kof-operator", flag.ContinueOnError)
	f.StringVar(&o.SystemNamespace, "system-namespace", o.SystemNamespace, "namespace of the outputs that belong to no single cluster; its regions are for clusters of all namespaces")
	f.StringVar(&o.AgentNamespace, "agent-namespace", o.AgentNamespace, "namespace of the charts on the clusters")
	f.StringVar(&o.CollectorsTemplate, "collectors-template", "", "ServiceTemplate of the chart kof-collectors; empty: no MultiClusterService is written for it")
	f.StringVar(&o.StorageTemplate, "storage-template", "", "ServiceTemplate of the chart kof-storage; empty: no MultiClusterService is written for it")
	f.StringVar(&o.PromxyURL, "promxy-url", o.PromxyURL, "where Grafana finds Promxy")
	f.BoolVar(&o.RecordingRules, "recording-rules", false, "vmalert has somewhere to write what recording rules give; otherwise ConfigMaps with some are refused, and budgets give alerts alone")
	f.StringVar(&o.RunbookURL, "runbook-url", o.RunbookURL, "what the addresses of the alerts' pages begin with; empty: alerts of budgets name none")
	f.DurationVar(&o.Rehoming.Prepare, "rehoming-prepare", o.Rehoming.Prepare, "how long a cluster still sends to its old region after the new one was told of it")
	f.DurationVar(&o.Rehoming.Drain, "rehoming-drain", o.Rehoming.Drain, "how long a cluster may still deliver to its old region what it holds for it")
	f.DurationVar(&o.Rotation.Interval, "rotation-interval", o.Rotation.Interval, "age at which a credential is rotated; 0: only on request")
	f.DurationVar(&o.Rotation.Overlap, "rotation-overlap", o.Rotation.Overlap, "how long a new credential is known before it is used, and the old one is valid after that")
	f.IntVar(&o.Workers, "workers", o.Workers, "clusters that are reconciled at once")
	f.StringVar(&namespaces, "namespaces", "", "comma-separated namespaces with ClusterDeployments; empty: all")
	f.StringVar(&s.MetricsAddress, "metrics-bind-address", ":8080", `address of /metrics; "0": none`)
	f.StringVar(&s.HealthAddress, "health-probe-bind-address", ":8081", `address of /healthz and /readyz; "0": none`)
	f.StringVar(&s.WebhookAddress, "webhook-bind-address", "0", `address of the admission webhooks, as ":9443"; "0": none`)
	f.StringVar(&s.WebhookCertDir, "webhook-cert-dir", "/etc/kof-operator/tls", "folder with tls.crt and tls.key of the admission webhooks")
	f.BoolVar(&s.LeaderElection, "leader-elect", true, "elect one of several replicas")
	f.BoolVar(&showVersion, "version", false, "print the version and end")
	if err := f.Parse(args); err != nil {
		return err
	}
	if showVersion {
		fmt.Println(version.String())
		return nil
	}
	if f.NArg() > 0 {
		return fmt.Errorf("found the argument %q; allowed: flags only", f.Arg(0))
	}
	for n := range strings.SplitSeq(namespaces, ",") {
		if n = strings.TrimSpace(n); n != "" {
			s.Namespaces = append(s.Namespaces, n)
		}
	}
	if err := errors.Join(o.Validate(), s.Validate()); err != nil {
		return err
	}
	log := logr.FromSlogHandler(slog.NewJSONHandler(os.Stderr, nil))
	ctrl.SetLogger(log)
	klog.SetLogger(log)
	config, err := ctrl.GetConfig()
	if err != nil {
		return err
	}
	mgr, err := controller.NewManager(config, o, s)
	if err != nil {
		return err
	}
	if err := controller.Setup(ctx, mgr, o); err != nil {
		return err
	}
	log.Info("starting", "version", version.String())
	return mgr.Start(ctx)
}
