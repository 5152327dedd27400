package dsaring

//go:generate sh -c "cd ../asm && go run ./dsaarith -out ../dsaring"
