module github.com/playbot/playbot/cmd/internal/browsertest

go 1.26.8

replace github.com/playbot/playbot => ../../..

require (
	github.com/chromedp/cdproto v0.159.0
	github.com/chromedp/chromedp v0.23.0
	github.com/playbot/playbot v0.0.0
	github.com/slack-go/slack v0.35.0
)

require (
	github.com/go-json-experiment/json v0.0.0-20260213210345-44df1a37e875 // indirect
	github.com/gorilla/websocket v1.5.3 // indirect
)
