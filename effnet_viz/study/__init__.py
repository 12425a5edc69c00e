"""What networks make of photographed objects, live and counted over many scenes."""
