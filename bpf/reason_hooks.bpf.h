/* SPDX-License-Identifier: GPL-2.0-only */
/* The functions whose presence on the way tells what a lookup is for: included with REASON_HOOK()
 * defined. */
REASON_HOOK(ip_route_me_harder, FRAME_REROUTE)
REASON_HOOK(tcp_v4_connect, FRAME_CONNECT)
REASON_HOOK(__ip4_datagram_connect, FRAME_CONNECT)
REASON_HOOK(__icmp_send, FRAME_ICMP_ERROR)
REASON_HOOK(icmp_reply, FRAME_REPLY)
/* Where icmp_reply() has no symbol of its own (5.10), its callers have, being called by pointer. */
REASON_HOOK(icmp_echo, FRAME_REPLY)
REASON_HOOK(icmp_timestamp, FRAME_REPLY)
REASON_HOOK(ip_send_unicast_reply, FRAME_REPLY)
REASON_HOOK(inet_csk_route_req, FRAME_REPLY)
REASON_HOOK(inet_csk_route_child_sock, FRAME_REPLY)
REASON_HOOK(xfrm4_dst_lookup, FRAME_TUNNEL)
REASON_HOOK(ip_tunnel_xmit, FRAME_TUNNEL)
REASON_HOOK(ip_md_tunnel_xmit, FRAME_TUNNEL)
REASON_HOOK(udp_tunnel_dst_lookup, FRAME_TUNNEL)
