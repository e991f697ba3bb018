package commands

import "strings"

// order is how a run is wanted, beside its inputs. A form that asks for the inputs carries it.
type order struct {
	broadcast bool // the channel is told of the end also when it goes well
}

// broadcastState is what the state of a form ends with that carries such an order.
const broadcastState = valueSeparator + "broadcast"

func orderOf(a args) order {
	_, broadcast := a.flag("broadcast")
	return order{broadcast: broadcast}
}

// carry has a form start its run as it was ordered.
func (o order) carry(f *Form) {
	if o.broadcast && f.Kind == FormRun {
		f.State += broadcastState
	}
}

// carried takes the order out of the state of a form.
func carried(state string) (rest string, o order) {
	rest, o.broadcast = strings.CutSuffix(state, broadcastState)
	return rest, o
}
