"""Machines with firmware and a kernel of their own, for what a namespace cannot show: boots, power cuts, slots, memory."""
