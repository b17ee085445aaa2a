"""The evaluator: rules over what the store holds, states kept in the history, letters into the outbox."""
