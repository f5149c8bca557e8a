module github.com/k0rdent/kof/tools/kubernetes-node

go 1.26.0

tool github.com/k0rdent/kof/tools/kubernetes-node

require (
	github.com/vishvananda/netlink v1.3.1
	golang.org/x/sys v0.47.0
)

require github.com/vishvananda/netns v0.0.5 // indirect
