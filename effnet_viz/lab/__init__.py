"""The scaling lab: small networks scaled by depth, width, resolution and compound.

They learn synthetic scenes whose visible object is known to the pixel, so what a class activation
map looks at can be measured, not only looked at (Tan & Le 2019, Figure 7 and Table 7).
"""
